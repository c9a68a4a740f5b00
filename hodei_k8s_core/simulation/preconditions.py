"""What a DELETE says beside its path, and whether it still means the object that is there."""

from __future__ import annotations

import msgspec

from hodei_k8s_core.simulation.statuses import precondition_failed
from hodei_k8s_core.simulation.wire import Json


class DeletePreconditions(msgspec.Struct):
    uid: str | None = None
    resourceVersion: str | None = None  # noqa: N815 - the wire's name


class DeleteOptions(msgspec.Struct):
    gracePeriodSeconds: int | None = None  # noqa: N815 - the wire's name
    preconditions: DeletePreconditions | None = None
    dryRun: tuple[str, ...] = ()  # noqa: N815 - the wire's name


def check_preconditions(resource: str, item: Json, wanted: DeletePreconditions | None) -> None:
    """Raises: Refused (409)."""
    wanted, meta = wanted or DeletePreconditions(), item["metadata"]
    if wanted.uid is not None and wanted.uid != meta["uid"]:
        fact = (
            f"the UID in the precondition ({wanted.uid}) does not match the UID in record ({meta['uid']}). "
            "The object might have been deleted and then recreated"
        )
        raise precondition_failed(resource, meta["name"], fact)
    if wanted.resourceVersion is not None and wanted.resourceVersion != meta["resourceVersion"]:
        fact = (
            f"the ResourceVersion in the precondition ({wanted.resourceVersion}) does not match the "
            f"ResourceVersion in record ({meta['resourceVersion']}). The object might have been modified"
        )
        raise precondition_failed(resource, meta["name"], fact)
