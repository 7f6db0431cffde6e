"""The API's contract: requests, answers, errors and the completion message as types."""
