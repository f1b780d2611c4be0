package waybill.connect;

import io.apicurio.registry.utils.converter.AvroConverter;
import io.apicurio.registry.utils.converter.avro.AvroData;
import io.apicurio.registry.utils.converter.avro.AvroDataConfig;
import java.io.IOException;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.errors.RetriableException;
import org.apache.kafka.connect.storage.Converter;

/**
 * Apicurio's Avro converter, with two faults cured and one cost saved: a NULL in a nullable column that has a DEFAULT
 * stays a NULL; a registry that is down makes the task wait instead of fail (with {@code errors.retry.timeout=-1}); and
 * only the first record of a topic and schema goes through it, the others are encoded alike without it.
 *
 * <p>Takes the settings of the wrapped converter, {@code apicurio.registry.*}, and none of its own. Like every
 * converter of Connect it serves one task's thread.
 */
public final class NullKeepingAvroConverter implements Converter {

    private static final long LEARN_AGAIN = TimeUnit.HOURS.toNanos(1);
    private static final long LEARN_AGAIN_AFTER_FAILURE = TimeUnit.MINUTES.toNanos(1);
    private static final int MOST_REMEMBERED = 1_000;

    private final AvroConverter<Object> wrapped = new AvroConverter<>();
    private final DefaultFreeSchemas schemas = new DefaultFreeSchemas();
    private final Map<Schema, Map<String, LearnedEncoding>> learned = new IdentityHashMap<>();
    private final LearnedEncoding.Output output = new LearnedEncoding.Output();
    private AvroData avroData;

    @Override
    public void configure(Map<String, ?> settings, boolean isKey) {
        wrapped.configure(settings, isKey);
        avroData = new AvroData(new AvroDataConfig(settings));
    }

    @Override
    public byte[] fromConnectData(String topic, Schema schema, Object value) {
        return fromConnectData(topic, null, schema, value);
    }

    @Override
    public byte[] fromConnectData(String topic, Headers headers, Schema schema, Object value) {
        if (value == null) {
            return null;
        }
        if (schema == null) {
            return throughWrapped(topic, headers, null, null, value);
        }
        if (learned.size() >= MOST_REMEMBERED) {
            learned.clear();
        }
        Map<String, LearnedEncoding> byTopic = learned.computeIfAbsent(schema, unseen -> new HashMap<>());
        LearnedEncoding known = byTopic.get(topic);
        long now = System.nanoTime();
        if (known != null && known.usable() && !known.stale(now)) {
            try {
                return known.encoded(value, output);
            } catch (IOException | RuntimeException unfit) {
                // The wrapped converter says better what is wrong with the value.
                return throughWrapped(topic, headers, schema, schemas.of(schema), value);
            }
        }
        return learning(topic, headers, schema, value, known, byTopic, now);
    }

    private byte[] learning(
            String topic,
            Headers headers,
            Schema schema,
            Object value,
            LearnedEncoding known,
            Map<String, LearnedEncoding> byTopic,
            long now) {
        Schema defaultFree = schemas.of(schema);
        byte[] bytes;
        try {
            bytes = throughWrapped(topic, headers, schema, defaultFree, value);
        } catch (RetriableException unanswered) {
            if (known == null || !known.usable()) {
                throw unanswered;
            }
            // The id was right an hour ago: no reason to stand still.
            known.learnAgainAt(now + LEARN_AGAIN_AFTER_FAILURE);
            return fromConnectData(topic, headers, schema, value);
        }
        if (known == null || known.usable()) {
            byTopic.put(
                    topic,
                    LearnedEncoding.from(
                            defaultFree, avroData.fromConnectSchema(defaultFree), value, bytes, output, now + LEARN_AGAIN));
        }
        return bytes;
    }

    private byte[] throughWrapped(String topic, Headers headers, Schema schema, Schema defaultFree, Object value) {
        try {
            Object moved = schema == null ? value : schemas.moved(schema, defaultFree, value);
            return wrapped.fromConnectData(topic, headers, defaultFree, moved);
        } catch (RuntimeException failure) {
            throw RegistryFailures.translated(failure, topic);
        }
    }

    @Override
    public SchemaAndValue toConnectData(String topic, byte[] bytes) {
        return toConnectData(topic, null, bytes);
    }

    @Override
    public SchemaAndValue toConnectData(String topic, Headers headers, byte[] bytes) {
        try {
            return wrapped.toConnectData(topic, headers, bytes);
        } catch (RuntimeException failure) {
            throw RegistryFailures.translated(failure, topic);
        }
    }

    @Override
    public void close() throws IOException {
        wrapped.close();
    }
}
