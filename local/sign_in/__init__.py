"""The hosted sign-in of the local platform, with the endpoints, tokens and refusals of Cognito's hosted pages."""
