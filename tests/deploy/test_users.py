"""Users as operators are shown them before they give or take a right."""

from __future__ import annotations

from deploy.users import owner_of
from local.sign_in.server import SignIn
from local.sign_in.users import Identity, User
from tests.sign_in.authenticator import operator_calls

EMAIL = "ada@example.com"


def shown(sign_in: SignIn, user: User) -> str:
    found = operator_calls(sign_in).list_users(UserPoolId="local_1", Filter=f'sub = "{user.subject}"')["Users"]
    return str(owner_of(found[0]))


def test_an_operator_sees_whose_word_an_address_is() -> None:
    """A company says which address its people have: one of them may have that of somebody else."""
    with SignIn(port=0) as sign_in:
        local = sign_in.create_user(EMAIL)
        of_company = sign_in.authority.users.of_company(Identity(provider="acme", subject="4711"), EMAIL)
        assert shown(sign_in, local) == f"{local.subject} ({EMAIL})"
        assert shown(sign_in, of_company) == f"{of_company.subject} ({EMAIL}, says acme)"
