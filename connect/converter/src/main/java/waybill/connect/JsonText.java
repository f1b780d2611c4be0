package waybill.connect;

import com.github.shyiko.mysql.binlog.event.deserialization.ColumnType;
import com.github.shyiko.mysql.binlog.event.deserialization.json.JsonBinary;
import com.github.shyiko.mysql.binlog.event.deserialization.json.JsonFormatter;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Base64;
import java.util.Locale;

/**
 * MySQL's binary JSON as the text of {@code CAST(value AS CHAR)}: the keys in their stored order, ", " and ": " between,
 * decimals with their scale, times with six digits, doubles by {@link JsonDouble}.
 */
final class JsonText implements JsonFormatter {

    private static final char FIRST_PLAIN = ' ';
    private final StringBuilder text = new StringBuilder();

    /** The text of one value. */
    static String of(byte[] value) throws IOException {
        if (value.length == 0) { // An INSERT IGNORE left it so, MySQL reads it as null.
            return "null";
        }
        JsonText made = new JsonText();
        new Times(value).parse(made);
        return made.text.toString();
    }

    /** The library halves a negative time wrongly: its sign is of the whole number. */
    private static final class Times extends JsonBinary {
        Times(byte[] value) {
            super(value);
        }

        @Override
        protected void parseTime(JsonFormatter formatter) throws IOException {
            long packed = readInt64();
            long size = Math.abs(packed);
            long whole = size >> 24;
            ((JsonText) formatter).text.append(String.format(
                    Locale.ROOT, "\"%s%02d:%02d:%02d.%06d\"", packed < 0 ? "-" : "",
                    whole >> 12 & 1023, whole >> 6 & 63, whole & 63, size & 0xffffff));
        }
    }

    @Override
    public void beginObject(int elements) {
        text.append('{');
    }

    @Override
    public void beginArray(int elements) {
        text.append('[');
    }

    @Override
    public void endObject() {
        text.append('}');
    }

    @Override
    public void endArray() {
        text.append(']');
    }

    @Override
    public void nextEntry() {
        text.append(", ");
    }

    @Override
    public void name(String name) {
        value(name);
        text.append(": ");
    }

    @Override
    public void value(String value) {
        text.append('"');
        for (int place = 0; place < value.length(); place++) {
            char letter = value.charAt(place);
            if (letter == '"' || letter == '\\') {
                text.append('\\').append(letter);
            } else if (letter < FIRST_PLAIN) {
                int known = "\b\f\n\r\t".indexOf(letter);
                text.append(known < 0 ? String.format(Locale.ROOT, "\\u%04x", (int) letter) : "\\" + "bfnrt".charAt(known));
            } else {
                text.append(letter);
            }
        }
        text.append('"');
    }

    @Override
    public void value(int value) {
        text.append(value);
    }

    @Override
    public void value(long value) {
        text.append(value);
    }

    @Override
    public void value(double value) {
        text.append(JsonDouble.text(value));
    }

    @Override
    public void value(BigInteger value) {
        text.append(value);
    }

    @Override
    public void value(BigDecimal value) {
        text.append(value.toPlainString());
    }

    @Override
    public void value(boolean value) {
        text.append(value);
    }

    @Override
    public void valueNull() {
        text.append("null");
    }

    @Override
    public void valueYear(int year) {
        text.append(year);
    }

    @Override
    public void valueDate(int year, int month, int day) {
        text.append(String.format(Locale.ROOT, "\"%04d-%02d-%02d\"", year, month, day));
    }

    @Override
    public void valueDatetime(int year, int month, int day, int hour, int minute, int second, int micros) {
        text.append(String.format(
                Locale.ROOT, "\"%04d-%02d-%02d %02d:%02d:%02d.%06d\"", year, month, day, hour, minute, second, micros));
    }

    @Override
    public void valueTime(int hour, int minute, int second, int micros) {
        throw new IllegalStateException("times are written by Times");
    }

    @Override
    public void valueTimestamp(long seconds, int micros) {
        throw new IllegalStateException("MySQL writes a timestamp in JSON as a datetime");
    }

    @Override
    public void valueOpaque(ColumnType type, byte[] value) {
        text.append("\"base64:type").append(type.getCode()).append(':');
        text.append(Base64.getEncoder().encodeToString(value)).append('"');
    }
}
