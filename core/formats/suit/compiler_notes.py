"""Texts of a manifest, and warnings about what many devices cannot do."""

from __future__ import annotations

from collections.abc import Iterator

from fotabuild.formats.suit import model
from fotabuild.formats.suit.description import Description
from fotabuild.formats.suit.names import ComponentText, DigestAlgorithm, Element, Name
from fotabuild.formats.suit.tables import Table

# Defaults of libcsuit, the processor that is most common (section 6.7).
_COMPONENTS = 3
_COMMANDS = 20


def compile_texts(description: Description, table: Table) -> model.Text | None:
    """Return the texts, or None when there are none."""
    languages: dict[str, model.LanguageText] = {}
    tags = [*description.texts, *(tag for c in description.components for tag in c.texts)]
    for tag in dict.fromkeys(tags):
        components: dict[model.ComponentId, dict[ComponentText, str]] = {}
        for component in description.components:
            found = component.texts.get(tag)
            if found:
                # Of alternatives that say different things the first one counts.
                entry = components.setdefault(component.install_id, {})
                components[component.install_id] = {**found, **entry}
        languages[tag] = model.LanguageText(dict(description.texts.get(tag, {})), components)
    if not languages:
        return None
    if not table.text_has_languages and len(languages) == 1:
        languages = {model.NO_LANGUAGE: next(iter(languages.values()))}
    return model.Text(languages)


def compiler_warnings(manifest: model.Manifest, description: Description) -> Iterator[str]:
    """Yield what is allowed and more than many devices can do."""
    if len(manifest.components) > _COMPONENTS:
        yield (
            f"{len(manifest.components)} component ids; many devices are built for {_COMPONENTS}"
        )
    for name, commands in _sequences(manifest):
        if len(commands) > _COMMANDS:
            yield f"{name} has {len(commands)} commands; many devices are built for {_COMMANDS}"
    algorithms = {c.install_digest.algorithm for c in description.components}
    for algorithm in sorted(algorithms - {DigestAlgorithm.SHA256}, key=lambda each: each.value):
        yield f"digests by {algorithm.value}; many devices know sha256 only"
    invoked = manifest.elements.get(Element.INVOKE, ())
    if isinstance(invoked, tuple):
        count = sum(isinstance(c, model.Act) and c.name is Name.INVOKE for c in invoked)
        if count > 1:
            yield f"{count} components are started; most devices never return from the first one"


def _sequences(manifest: model.Manifest) -> Iterator[tuple[str, model.Commands]]:
    yield "the shared sequence", manifest.shared
    for element, value in manifest.elements.items():
        if isinstance(value, tuple):
            yield element.value, value
