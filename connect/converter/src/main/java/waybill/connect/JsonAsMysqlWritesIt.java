package waybill.connect;

import io.debezium.DebeziumException;
import io.debezium.data.Json;
import io.debezium.spi.converter.CustomConverter;
import io.debezium.spi.converter.RelationalColumn;
import java.io.IOException;
import java.util.Properties;
import org.apache.kafka.connect.data.SchemaBuilder;

/**
 * A JSON value of the binlog becomes the text that MySQL itself writes, so that snapshot and stream agree.
 *
 * <p>Why not Debezium's own way: in 3.6.1 a double of the stream becomes its exact binary expansion and loses that it is
 * a double (1e7 arrives as 10000000, 1e-300 as a thousand digits), a datetime loses its fraction, a negative time
 * is wrong, and bytes lose their type. A snapshot brings MySQL's own text, which is passed on.
 */
public final class JsonAsMysqlWritesIt implements CustomConverter<SchemaBuilder, RelationalColumn> {

    @Override
    public void configure(Properties settings) {
        // Nothing to set: it says what it does.
    }

    @Override
    public void converterFor(RelationalColumn column, ConverterRegistration<SchemaBuilder> registration) {
        if (!"JSON".equalsIgnoreCase(column.typeName())) {
            return;
        }
        SchemaBuilder schema = column.isOptional() ? Json.builder().optional() : Json.builder();
        registration.register(schema, value -> text(column, value));
    }

    private static String text(RelationalColumn column, Object value) {
        if (value == null) {
            return null;
        }
        if (!(value instanceof byte[] bytes)) {
            return value.toString();
        }
        try {
            return JsonText.of(bytes);
        } catch (IOException | RuntimeException error) {
            throw new DebeziumException(
                    "The JSON of " + column.dataCollection() + "." + column.name() + " cannot be read from the binlog", error);
        }
    }
}
