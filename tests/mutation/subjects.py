"""The modules of which mutants are made: what decides who may, what is kept and what is refused."""

from tests.mutation.trial import Subject

_CORE = "chalice_app/chalicelib/core"
_CONTRACT = "chalice_app/chalicelib/contract"
_ROUTES = "chalice_app/chalicelib/routes"

SUBJECTS = (
    Subject(f"{_ROUTES}/callers.py", ["tests/api/test_callers.py"]),
    Subject(f"{_ROUTES}/upload_tokens.py", ["tests/api/test_upload_tokens.py"]),
    Subject(f"{_ROUTES}/users.py", ["tests/api/test_users.py"]),
    Subject("chalice_app/app.py", ["tests/api/test_app_events.py"]),
    Subject(f"{_CORE}/upload_token.py", ["tests/core/test_upload_token.py", "tests/contract/test_requests.py"]),
    Subject(f"{_CORE}/upload_requests.py", ["tests/contract/test_requests.py", "tests/contract/test_bounds.py"]),
    Subject(f"{_CONTRACT}/checking.py", ["tests/contract/test_checking.py", "tests/contract/test_bounds.py"]),
    Subject(
        f"{_CONTRACT}/fields.py",
        [
            "tests/contract/test_fields.py",
            # Words and formats are held by the document that is committed.
            "tests/contract/test_documents.py::test_the_document_is_what_the_contract_makes",
            "tests/contract/test_bounds.py",
        ],
    ),
    Subject(f"{_CORE}/part_plan.py", ["tests/core/test_part_plan.py", "tests/contract/test_requests.py"]),
    Subject(
        f"{_CORE}/completion.py",
        ["tests/core/test_completion_outcomes.py", "tests/core/test_completion.py", "tests/core/test_interruptions.py"],
    ),
    Subject(f"{_CORE}/records.py", ["tests/core/test_records.py"]),
    Subject(
        f"{_CORE}/caps.py",
        ["tests/core/test_caps.py", "tests/core/test_stored_limits.py", "tests/core/test_stage_usage.py"],
    ),
    Subject("components/storage/bucket_policies.py", ["tests/infrastructure/test_bucket_policy_values.py"]),
    Subject("components/compute/permissions.py", ["tests/infrastructure/test_function_roles.py"]),
)
