package waybill.connect;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.EncoderFactory;
import org.apache.kafka.connect.data.Schema;

/**
 * How the records of one topic and schema are encoded: learned from the bytes that the wrapped converter made of the
 * first of them. The prefix (magic byte and schema id) is taken from there; the rest is written by a
 * {@link ValueWriter}, which is used only if it gave the very same bytes.
 *
 * <p>The wrapped converter prints the whole Avro schema as text for every record to look up its id; this saves that.
 */
final class LearnedEncoding {

    /** What a record of a schema not to be written here has: every record goes through the wrapped converter. */
    static final LearnedEncoding NONE = new LearnedEncoding(null, null, Long.MAX_VALUE);

    private final ValueWriter writer;
    private final byte[] prefix;
    private long learnAgainAt;

    private LearnedEncoding(ValueWriter writer, byte[] prefix, long learnAgainAt) {
        this.writer = writer;
        this.prefix = prefix;
        this.learnAgainAt = learnAgainAt;
    }

    /** Learn from one record. `theirs` is what the wrapped converter made of `value`; times are of nanoTime. */
    static LearnedEncoding from(
            Schema defaultFree, org.apache.avro.Schema avro, Object value, byte[] theirs, Output output, long learnAgainAt) {
        try {
            ValueWriter writer = ValueWriter.of(defaultFree, avro);
            byte[] ours = output.bytes(new byte[0], writer, value);
            int start = theirs.length - ours.length;
            // No prefix: the id travels in a header, which only the wrapped converter writes.
            if (start <= 0 || !Arrays.equals(ours, 0, ours.length, theirs, start, theirs.length)) {
                return NONE;
            }
            return new LearnedEncoding(writer, Arrays.copyOf(theirs, start), learnAgainAt);
        } catch (ValueWriter.NotWritable | IOException | RuntimeException notOurs) {
            return NONE;
        }
    }

    boolean usable() {
        return writer != null;
    }

    boolean stale(long now) {
        return now - learnAgainAt >= 0;
    }

    void learnAgainAt(long time) {
        learnAgainAt = time;
    }

    /** The record's bytes. Raises what a value that does not fit its schema raises. */
    byte[] encoded(Object value, Output output) throws IOException {
        return output.bytes(prefix, writer, value);
    }

    /** A buffer and an encoder, used again for every record. */
    static final class Output {

        private static final int SIZE = 16 * 1024;

        private final ByteArrayOutputStream buffer = new ByteArrayOutputStream(SIZE);
        private BinaryEncoder encoder;

        byte[] bytes(byte[] prefix, ValueWriter writer, Object value) throws IOException {
            buffer.reset();
            buffer.write(prefix, 0, prefix.length);
            encoder = EncoderFactory.get().binaryEncoder(buffer, encoder);
            writer.write(encoder, value);
            encoder.flush();
            return buffer.toByteArray();
        }
    }
}
