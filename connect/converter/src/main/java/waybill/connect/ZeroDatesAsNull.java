package waybill.connect;

import io.debezium.spi.converter.CustomConverter;
import io.debezium.spi.converter.RelationalColumn;
import io.debezium.time.Date;
import io.debezium.time.MicroTimestamp;
import io.debezium.time.Timestamp;
import io.debezium.time.ZonedTimestamp;
import java.time.ZoneOffset;
import java.util.Locale;
import java.util.Properties;
import org.apache.kafka.connect.data.SchemaBuilder;

/**
 * A zero date ({@code 0000-00-00}) in a NOT NULL column travels as NULL instead of as 1970-01-01.
 *
 * <p>Every other value is converted as Debezium does it without a converter ({@code time.precision.mode} =
 * {@code adaptive_time_microseconds}). Nullable columns are left to Debezium, which writes NULL there already.
 *
 * <p>Why not Debezium's own ZeroDateFallbackConverter: in 3.6.1 it takes the first value of a column for the resolution
 * of the column's default, which happens only where the default is not NULL. Elsewhere the first row after every start
 * of the connector loses its dates.
 */
public final class ZeroDatesAsNull implements CustomConverter<SchemaBuilder, RelationalColumn> {

    private static final int DIGITS_OF_MILLIS = 3;

    @Override
    public void configure(Properties settings) {
        // Nothing to set: it says what it does.
    }

    @Override
    public void converterFor(RelationalColumn column, ConverterRegistration<SchemaBuilder> registration) {
        if (column.isOptional() || column.typeName() == null) {
            return;
        }
        int digits = column.length().orElse(0);
        switch (column.typeName().toUpperCase(Locale.ROOT)) {
            case "DATE" -> registration.register(
                    Date.builder().optional(), value -> value == null ? null : Date.toEpochDay(value, null));
            case "DATETIME" -> {
                if (digits <= DIGITS_OF_MILLIS) {
                    registration.register(
                            Timestamp.builder().optional(),
                            value -> value == null ? null : Timestamp.toEpochMillis(withoutZone(value), null));
                } else {
                    registration.register(
                            MicroTimestamp.builder().optional(),
                            value -> value == null ? null : MicroTimestamp.toEpochMicros(withoutZone(value), null));
                }
            }
            case "TIMESTAMP" -> registration.register(
                    ZonedTimestamp.builder().optional(),
                    value -> value == null ? null : ZonedTimestamp.toIsoString(value, ZoneOffset.UTC, null, digits));
            default -> {
                // Not a date.
            }
        }
    }

    /** A snapshot brings a datetime as java.sql.Timestamp, whose epoch depends on the time zone of this process. */
    private static Object withoutZone(Object value) {
        return value instanceof java.sql.Timestamp timestamp ? timestamp.toLocalDateTime() : value;
    }
}
