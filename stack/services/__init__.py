"""How each service of the catalogue is started natively: one file a service."""

from stack.services import connect, kafka, mysql, prometheus, registry, s3, warehouse
from stack.services.launch import Native

NATIVES: dict[str, Native] = {
    each.NATIVE.service.name: each.NATIVE for each in (mysql, kafka, registry, connect, s3, warehouse)
}

MONITORING_NATIVES: dict[str, Native] = {"prometheus": prometheus.NATIVE}
"""Those of the monitoring services that can be had natively."""
