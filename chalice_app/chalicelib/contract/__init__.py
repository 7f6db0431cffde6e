"""The API's contract: requests, answers, errors and the message to subscribers as types."""
