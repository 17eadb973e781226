"""A caller for the tests of this package."""

from tollhouse.core.account import Account, ApiKey, Identity, Project, Secret


def caller(key: str = "key_k", project: str = "proj_p", account: str = "acc_a", plan: str = "default") -> Identity:
    return Identity(
        key=ApiKey(id=key, account_id=account, project_id=project, name="k", created_at_ms=0),
        secret=Secret(digest=b"", prefix="sk-th-live-", last4="abcd", created_at_ms=0),
        account=Account(id=account, name="a", plan=plan, created_at_ms=0),
        project=Project(id=project, account_id=account, name="default", created_at_ms=0),
    )
