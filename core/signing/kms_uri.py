"""``awskms:`` URIs: which key in AWS KMS."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fotabuild.errors import CloudKeyError
from fotabuild.signing.signer import KMS_SCHEME

_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]{1,2}")
_KEY = re.compile(r"[A-Za-z0-9/_-]{1,256}")
_ARN = re.compile(
    r"arn:aws[a-z-]*:kms:(?P<region>[^:]+):[0-9]{12}:(key|alias)/[A-Za-z0-9/_-]{1,256}"
)


@dataclass(frozen=True)
class KmsUri:
    """A key and where it is.

    Attributes:
        key: key id, ``alias/NAME``, or ARN.
        region: where it is; None for the region of the AWS configuration.
    """

    key: str
    region: str | None = None

    @classmethod
    def parse(cls, uri: str) -> KmsUri:
        """Read ``awskms:KEY`` or ``awskms:KEY?region=NAME``.

        Raises:
            CloudKeyError: malformed, or two regions. The message holds no text of the URI: somebody
                may have put a secret there.
        """
        scheme, _, rest = uri.partition(":")
        key, mark, query = rest.partition("?")
        if scheme != KMS_SCHEME:
            raise CloudKeyError("this is not an awskms: URI")
        arn = _ARN.fullmatch(key)
        if arn is None and not _KEY.fullmatch(key):
            raise CloudKeyError(
                "this URI names no key", remedy="write awskms: and a key id, alias/NAME or an ARN"
            )
        region = None if arn is None else arn["region"]
        if not mark:
            return cls(key, region)
        name, _, given = query.partition("=")
        if name != "region" or not _REGION.fullmatch(given):
            raise CloudKeyError(
                "this URI has something behind the key that is not understood",
                remedy="known is ?region=NAME; credentials come from where AWS programs find them",
            )
        if region not in (None, given):
            raise CloudKeyError("the ARN of this key is of another region", field="region")
        return cls(key, given)
