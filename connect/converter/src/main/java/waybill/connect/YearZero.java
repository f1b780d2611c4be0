package waybill.connect;

import io.debezium.DebeziumException;
import io.debezium.spi.converter.CustomConverter;
import io.debezium.spi.converter.RelationalColumn;
import io.debezium.time.Year;
import java.util.Properties;
import org.apache.kafka.connect.data.SchemaBuilder;

/**
 * The year 0000 stays 0: without this the stream brings 1900, which no YEAR can hold, and a snapshot 2000.
 *
 * <p>Needs {@code driver.yearIsDateType=false}, else the driver has made another year of it already.
 */
public final class YearZero implements CustomConverter<SchemaBuilder, RelationalColumn> {

    private static final int ZERO_OF_THE_STREAM = 1900;

    @Override
    public void configure(Properties settings) {
        // Nothing to set: it says what it does.
    }

    @Override
    public void converterFor(RelationalColumn column, ConverterRegistration<SchemaBuilder> registration) {
        if ("YEAR".equalsIgnoreCase(column.typeName())) {
            registration.register(
                    column.isOptional() ? Year.builder().optional() : Year.builder(), value -> year(column, value));
        }
    }

    private static Integer year(RelationalColumn column, Object value) {
        if (value == null) {
            return null;
        }
        int year;
        if (value instanceof Number number) {
            year = number.intValue();
        } else if (value instanceof java.time.Year found) {
            year = found.getValue();
        } else if (value instanceof String text) {
            year = Integer.parseInt(text.strip());
        } else {
            throw new DebeziumException(
                    "The year of " + column.dataCollection() + "." + column.name() + " is a " + value.getClass());
        }
        return year == ZERO_OF_THE_STREAM ? 0 : year;
    }
}
