"""Everything that a setting can turn on, and everything that one can turn off, in production."""

from __future__ import annotations

from collections.abc import Mapping

from components.declared_stage import Setting
from components.settings import Mfa, SignUp, ThreatProtection, Unscanned

BILLED_WHILE_IDLE: Mapping[str, Setting] = {
    "machineClient": True,
    "provisionedConcurrency": 2,
    "provisionedConcurrencyMax": 20,
    "snsEndpoint": True,
}
"""Settings that no stage turns on by default."""

ON: Mapping[str, object] = {
    **BILLED_WHILE_IDLE,
    "signUp": SignUp.DOMAIN,
    "signUpDomains": ["example.com"],
    "mfa": Mfa.REQUIRED,
    "samlProviders": ["acme=https://login.example.com/metadata"],
    "oidcProviders": ["umbrella=https://login.example.org"],
    "oidcClientIds": ["umbrella=client-1"],
    "companyAdministrators": ["acme=groups=video-admins", "umbrella=roles=video.admin"],
    "companyDomains": ["example.com=acme"],
    "transferAcceleration": True,
    "malwareScan": True,
    "malwareUnscanned": Unscanned.ACCEPT,
    "retentionDays": 365,
    "renditions": True,
    "siteDomain": "videos.example.com",
    "nativeRedirectUrls": ["https://app.example.com/signed-in"],
    "siteCertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/1",
    "hostedZoneId": "Z1",
    "uploadKeyNames": ["k2", "k1"],
    "originSecretGeneration": 2,
    "notificationEmails": ["team@example.com"],
    "webhooks": ["billing=https://billing.example.com/hooks", "archive=https://archive.example.com/in"],
    "eventBusName": "videos",
}
OFF: Mapping[str, object] = {
    "signUp": SignUp.CLOSED,
    "localUsers": False,
    "samlProviders": ["acme=https://login.example.com/metadata"],
    "mfa": Mfa.OFF,
    "threatProtection": ThreatProtection.OFF,
    "machineClient": False,
    "intelligentTiering": False,
    "thumbnails": False,
    "waf": False,
    "network": False,
    "alarms": False,
    "dashboard": False,
    "costFigure": False,
    "trail": False,
    "trailManagementEvents": False,
    "uploadKeyNames": ["k2"],
    "provisionedConcurrency": 0,
    "provisionedConcurrencyMax": 0,
}
NO_FEATURE = {
    "protect": "prod refuses to be without",
    "paused": "what it stops is tested in test_paused.py",
    "bytecode": "only how bundles are packed",
}
"""Flags that turn nothing of the stage on or off."""
SHAPES: Mapping[str, Mapping[str, object]] = {"as it ships": {}, "everything on": ON, "everything off": OFF}
