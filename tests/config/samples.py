"""A configuration that sets everything, and values that text can give each setting."""

from __future__ import annotations

MINIMAL = "vendor: {domain: acme.com}\ndevice: {model-name: Toaster}\n"

PUBLISH = """\
publish:
  destination: out
  service: https://updates.acme.com/api
  access-key: file:keys/access.key
  storage: store
  journal: journals
"""
FULL = """\
vendor:
  domain: acme.com
  custom-data-path: data/vendor.bin
device:
  model-name: Toaster
  features: [delta, combined]
  limits:
    uri-size: 200
    vendor-data-size: 64
component: BOOT
priority: 7
sign-image: false
credentials:
  key: keys/update.key.pem
  certificate: keys/update.cert.der
payload:
  url: https://acme.com/{file}
  file-path: build/fw.bin
  format: encrypted-raw
  encrypted:
    digest: e000000000000000000000000000000000000000000000000000000000000001
    size: 5
formats: [v3]
delta:
  block-size: 1024
  threshold: 50
  effort: fast
  time-limit: 60
package:
  component: BUNDLE
  images:
  - sub-comp-name: app
    vendor-data: a
  - sub-comp-name: table
    vendor-data: b
    file-name: ../table.bin
layout:
  bootloader: boot.bin
  application-offset: 0x8000
  header: header.bin
  header-offset: 0x7000
  flash-start: 0x08000000
  fill: 255
releases:
- version: 1.0.0
  image: releases/fw-1.0.0.bin
  elf: releases/fw-1.0.0.elf
suit:
  profile: current
  sequence-number: 7
  component-id: ["00"]
  download-id: ["01"]
  load-id: ["02"]
  bootable: false
  uri: https://acme.com/suit/{file}
  integrate: false
  severable: false
  reference-uri: https://acme.com/whole.suit
  algorithm: ESP256
  key-id: update
  text:
    language: en
    manifest-description: Manifest
    update-description: Update
    vendor-name: Acme
    vendor-domain: oven.example
    model-name: Oven
    model-info: second
    component-description: Main
    component-version: "1"
    version-required: "0"
  components:
  - component-id: ["03"]
    file: ../radio.bin
    uri: https://acme.com/radio.bin
    bootable: false
"""
FULL += PUBLISH
FULL += "report:\n  write: false\n  link-speed: 20000\n"

# For each setting a text that option, variable and build system may give, unlike that in FULL.
TEXTS = {
    "vendor.domain": "other.example",
    "vendor.vendor-id": "fa6b4a53-d5ad-5fdf-be9d-e663e4d41ffe",
    "vendor.custom-data-path": "/abs/vendor.bin",
    "device.model-name": "42",
    "device.class-id": "{327c726a-c6e5-4f7a-82fb-f1d3beda80f0}",
    "device.client": "update-client-hub",
    "device.profile": "none",
    "device.features": "encrypted, signed-image",
    "device.limits.component-name-size": "9",
    "device.limits.version-size": "10",
    "device.limits.uri-size": "99",
    "device.limits.priority": "4294967296",
    "device.limits.image-size": "1000000",
    "device.limits.vendor-data-size": "128",
    "device.limits.certificate-size": "700",
    "device.limits.patch-memory": "4096",
    "device.limits.network-chunk": "1",
    "device.limits.sub-components": "3",
    "device.limits.sub-component-name-size": "7",
    "device.limits.sub-component-vendor-data-size": "31",
    "component": "7",
    "priority": "3",
    "sign-image": "true",
    "credentials.key": "pkcs11:object=update",
    "credentials.certificate": "/abs/cert.der",
    "credentials.passphrase": "env:PASSPHRASE",
    "credentials.signing-tool": "/abs/sign",
    "credentials.signing-tool-seconds": "5",
    "credentials.show-signing-tool": "true",
    "payload.url": "coap://acme.com/{digest}",
    "payload.file-path": "/abs/fw.bin",
    "payload.format": "encrypted-combined",
    "payload.encrypted.digest": "f" * 64,
    "payload.encrypted.size": "6",
    "formats": "v3",
    "delta.block-size": "2048",
    "delta.threshold": "99",
    "delta.effort": "best",
    "delta.time-limit": "30",
    "package.component": "PKG",
    "suit.profile": "draft-09",
    "suit.sequence-number": "8",
    "suit.component-id": "text:main, 01",
    "suit.download-id": "11",
    "suit.load-id": "12",
    "suit.bootable": "true",
    "suit.uri": "coap://acme.com/{digest}",
    "suit.integrate": "true",
    "suit.severable": "true",
    "suit.reference-uri": "coap://acme.com/suit",
    "suit.algorithm": "ES256",
    "suit.key-id": "key 9",
    "suit.text.language": "de-CH",
    "suit.text.manifest-description": "a",
    "suit.text.update-description": "b",
    "suit.text.vendor-name": "c",
    "suit.text.vendor-domain": "d",
    "suit.text.model-name": "e",
    "suit.text.model-info": "f",
    "suit.text.component-description": "g",
    "suit.text.component-version": "2.0.0",
    "suit.text.version-required": ">3",
    "layout.bootloader": "/abs/boot.bin",
    "layout.application-offset": "65536",
    "layout.header": "/abs/header.bin",
    "layout.header-offset": "4096",
    "layout.flash-start": "0",
    "layout.fill": "0",
    "publish.destination": "/abs/out",
    "publish.service": "http://127.0.0.1:8080",
    "publish.access-key": "env:ACCESS_KEY",
    "publish.storage": "s3://bucket/folder",
    "publish.journal": "/abs/journals",
    "report.write": "true",
    "report.link-speed": "9600",
}
