"""The hosted sign-in of the local platform: the endpoints, tokens and refusals of Cognito's hosted pages."""
