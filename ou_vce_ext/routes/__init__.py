"""The REST API and the status page: thin handlers over the domain."""

from __future__ import annotations

from .backup_files import BackupsHandler, DownloadHandler
from .backups import (
    BackupHandler,
    EverythingHandler,
    ResetHandler,
    RestoreHandler,
    ServiceBackupsHandler,
    VerifyHandler,
)
from .base import VCEHandler
from .branding import BrandingHandler, LogoHandler
from .icons import IconHandler
from .openapi import OpenApiHandler, UnknownHandler
from .operations import OperationHandler, OperationsHandler
from .report import BundleHandler, ReportHandler
from .services import (
    LogsHandler,
    RestartHandler,
    ServiceHandler,
    ServicesHandler,
    StartHandler,
    StopHandler,
)
from .status import StatusHandler


def handlers() -> list[tuple[str, type[VCEHandler]]]:
    """Give (pattern below ``base_url``, handler) for everything under ``vce/`` but ``vce/app/``.

    The last one answers whatever is unknown, so handlers added after these are never asked, except
    below ``vce/app/``.
    """
    service = "/vce/api/services/([^/]+)"
    backup = "/vce/api/backups/(?!all$)([^/]+)"
    return [
        ("/vce/status/?", StatusHandler),
        ("/vce/api/services", ServicesHandler),
        (service, ServiceHandler),
        (f"{service}/start", StartHandler),
        (f"{service}/stop", StopHandler),
        (f"{service}/restart", RestartHandler),
        (f"{service}/logs", LogsHandler),
        (f"{service}/icon", IconHandler),
        (f"{service}/backups", ServiceBackupsHandler),
        (f"{service}/reset", ResetHandler),
        ("/vce/api/backups", BackupsHandler),
        ("/vce/api/backups/all", EverythingHandler),
        (backup, BackupHandler),
        (f"{backup}/download", DownloadHandler),
        (f"{backup}/verify", VerifyHandler),
        (f"{backup}/restore", RestoreHandler),
        ("/vce/api/operations", OperationsHandler),
        ("/vce/api/operations/([^/]+)", OperationHandler),
        ("/vce/api/report", ReportHandler),
        ("/vce/api/report/bundle", BundleHandler),
        ("/vce/api/branding", BrandingHandler),
        ("/vce/api/branding/logo", LogoHandler),
        (r"/vce/api/openapi\.yaml", OpenApiHandler),
        ("/vce(?!/app/[^/])(?:/.*)?", UnknownHandler),
    ]
