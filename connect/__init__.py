"""MySQL to Kafka: the connector's settings, the converter plugin, the Connect image, and what applies them.

Must not be in here: anything that reads Kafka, or knows what becomes of an event once it is in a topic.
"""
