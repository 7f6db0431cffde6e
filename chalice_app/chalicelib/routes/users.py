"""The Cognito authorizer: an access token admits its user to the user routes."""

from chalice.app import CognitoUserPoolAuthorizer

from chalicelib.environment import ImportTimeSettings
from chalicelib.routes.callers import READ_SCOPE, WRITE_SCOPE

users = CognitoUserPoolAuthorizer("users", provider_arns=[ImportTimeSettings.read().user_pool_arn])

may_write = users.with_scopes([WRITE_SCOPE])
may_read = users.with_scopes([READ_SCOPE, WRITE_SCOPE])
