"""Write the bill of materials of an executable, in the format CycloneDX."""

import hashlib
import uuid
from pathlib import Path

from components import Component
from cyclonedx.factory.license import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component as Entry
from cyclonedx.model.component import ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL


def bill_of_materials(executable: Path, own: Component, others: list[Component]) -> str:
    """Return the document in JSON; the same executable has the same document."""
    digest = hashlib.sha256(executable.read_bytes()).hexdigest()
    whole = _entry(own._replace(name=executable.name), ComponentType.APPLICATION)
    whole.hashes = [HashType(alg=HashAlgorithm.SHA_256, content=digest)]
    bom = Bom(metadata=BomMetaData(component=whole), serial_number=uuid.uuid5(uuid.NAMESPACE_OID, digest))
    bom.metadata.timestamp = None  # type: ignore[assignment]  # it is optional in the format
    parts = [_entry(other, ComponentType.LIBRARY) for other in others]
    bom.components = parts
    bom.register_dependency(whole, parts)
    return JsonV1Dot6(bom).output_as_string(indent=2) + "\n"


def _entry(component: Component, kind: ComponentType) -> Entry:
    return Entry(
        type=kind,
        name=component.name,
        version=component.version,
        licenses=[LicenseFactory().make_from_string(component.license)],
        purl=PackageURL.from_string(component.purl),
        bom_ref=component.purl,
    )
