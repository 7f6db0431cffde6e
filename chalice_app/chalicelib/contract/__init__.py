"""The API's contract as types: requests, responses, errors and the message to subscribers."""
