"""Log settings of the Java services: one line an event to stdout, which is the service's log file."""

from __future__ import annotations

LOG4J = """\
# Without a binding and a configuration Kafka says nothing at all.
status = warn
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{ISO8601}{UTC}Z %-5p %m (%c{1})%n
rootLogger.level = info
rootLogger.appenderRef.out.ref = out
"""

LOG4J_QUIET = (
    LOG4J
    + """\
# Every client's metadata and every configuration value would be a page each.
logger.config.name = org.apache.kafka.common.config.AbstractConfig
logger.config.level = warn
logger.clients.name = org.apache.kafka.clients
logger.clients.level = warn
logger.producer.name = org.apache.kafka.clients.producer.ProducerConfig
logger.producer.level = warn
logger.http.name = org.apache.kafka.connect.runtime.rest.RestServer
logger.http.level = warn
"""
)

LOGBACK = """\
<!-- debug logging, s3proxy's default, costs ten times the time -->
<configuration>
  <appender name="OUT" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%d{yyyy-MM-dd'T'HH:mm:ss.SSS'Z',UTC} %-5p %m (%c{0})%n</pattern></encoder>
  </appender>
  <root level="warn"><appender-ref ref="OUT"/></root>
</configuration>
"""
