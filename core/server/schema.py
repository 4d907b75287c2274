"""Tables of the database. Times are microseconds since 1970."""

from __future__ import annotations

VERSION = 1

TABLES = """
CREATE TABLE keys (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, role TEXT NOT NULL, hash BLOB NOT NULL UNIQUE,
    created_at INTEGER NOT NULL, revoked_at INTEGER
);
CREATE TABLE images (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, description TEXT NOT NULL,
    token TEXT NOT NULL UNIQUE, file_name TEXT NOT NULL,
    checksum TEXT NOT NULL, size INTEGER NOT NULL,
    encrypted_checksum TEXT, encrypted_size INTEGER, encryption_key BLOB,
    created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL
);
CREATE INDEX images_by_checksum ON images (checksum);
CREATE INDEX images_by_encrypted_checksum ON images (encrypted_checksum);
CREATE TABLE jobs (
    id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, description TEXT NOT NULL,
    encrypt INTEGER NOT NULL, status TEXT NOT NULL, image_id TEXT,
    created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL
);
CREATE TABLE chunks (
    job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE, number INTEGER NOT NULL,
    length INTEGER NOT NULL, md5 TEXT NOT NULL, checksum TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (job_id, number)
);
CREATE INDEX chunks_by_checksum ON chunks (checksum);
CREATE TABLE manifests (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, description TEXT NOT NULL,
    token TEXT NOT NULL UNIQUE, file_name TEXT NOT NULL, data BLOB NOT NULL,
    device_class TEXT NOT NULL, device_vendor TEXT NOT NULL,
    created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL
);
CREATE TABLE campaigns (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, description TEXT NOT NULL,
    device_filter TEXT NOT NULL, root_manifest_id TEXT NOT NULL, manifest_token TEXT NOT NULL,
    manifest_file_name TEXT NOT NULL, campaign_strategy TEXT NOT NULL,
    approval_required INTEGER NOT NULL, autostop INTEGER NOT NULL,
    autostop_success_percent REAL NOT NULL, start_at INTEGER,
    phase TEXT NOT NULL, state TEXT NOT NULL, autostop_reason TEXT NOT NULL, end_state TEXT,
    state_since INTEGER NOT NULL,
    created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
    started_at INTEGER, starting_at INTEGER, active_at INTEGER, stopping_at INTEGER,
    stopped_at INTEGER, archived_at INTEGER
);
CREATE INDEX campaigns_by_phase ON campaigns (phase);
CREATE TABLE devices (
    id TEXT PRIMARY KEY, endpoint_name TEXT NOT NULL UNIQUE, token_hash BLOB NOT NULL UNIQUE,
    vendor_id TEXT NOT NULL, device_class TEXT NOT NULL, state TEXT NOT NULL,
    firmware_checksum TEXT NOT NULL, firmware_version TEXT NOT NULL, component TEXT NOT NULL,
    created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL
);
CREATE TABLE campaign_devices (
    id TEXT PRIMARY KEY,
    campaign_id TEXT NOT NULL REFERENCES campaigns (id) ON DELETE CASCADE,
    device_id TEXT NOT NULL, endpoint_name TEXT NOT NULL, summary TEXT NOT NULL,
    event TEXT NOT NULL, deployment_state TEXT NOT NULL,
    created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
    UNIQUE (campaign_id, device_id)
);
CREATE INDEX campaign_devices_by_device ON campaign_devices (device_id);
CREATE TABLE account (
    id INTEGER PRIMARY KEY CHECK (id = 1), account_id TEXT NOT NULL,
    updates_used INTEGER NOT NULL, session_secret BLOB NOT NULL
);
"""
