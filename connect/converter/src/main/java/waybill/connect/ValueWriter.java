package waybill.connect;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.List;
import org.apache.avro.io.Encoder;
import org.apache.kafka.connect.data.Date;
import org.apache.kafka.connect.data.Decimal;
import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.data.Time;
import org.apache.kafka.connect.data.Timestamp;

/** Writes a Connect value of one schema as Avro, with nothing made in between. */
@FunctionalInterface
interface ValueWriter {

    /** Connect's logical types have Java values of their own; they are left to the wrapped converter. */
    List<String> LOGICAL = List.of(Decimal.LOGICAL_NAME, Date.LOGICAL_NAME, Time.LOGICAL_NAME, Timestamp.LOGICAL_NAME);

    void write(Encoder out, Object value) throws IOException;

    /** This pair of schemas is left to the wrapped converter. */
    final class NotWritable extends Exception {
        private static final long serialVersionUID = 1L;

        NotWritable(String what) {
            super(what, null, false, false);
        }
    }

    /** A writer for a schema without defaults on its optional parts and the Avro schema made of it. */
    static ValueWriter of(Schema schema, org.apache.avro.Schema avro) throws NotWritable {
        if (!schema.isOptional()) {
            return ofRequired(schema, avro);
        }
        if (avro.getType() != org.apache.avro.Schema.Type.UNION || avro.getTypes().size() != 2) {
            throw new NotWritable("not a union of null and one type: " + avro);
        }
        int ofNull = avro.getTypes().get(0).getType() == org.apache.avro.Schema.Type.NULL ? 0 : 1;
        ValueWriter inner = ofRequired(schema, avro.getTypes().get(1 - ofNull));
        return (out, value) -> {
            if (value == null) {
                out.writeIndex(ofNull);
                out.writeNull();
            } else {
                out.writeIndex(1 - ofNull);
                inner.write(out, value);
            }
        };
    }

    private static ValueWriter ofRequired(Schema schema, org.apache.avro.Schema avro) throws NotWritable {
        if (schema.name() != null && LOGICAL.contains(schema.name())) {
            throw new NotWritable(schema.name());
        }
        return switch (avro.getType()) {
            case INT -> (out, value) -> out.writeInt(((Number) value).intValue());
            case LONG -> (out, value) -> out.writeLong((Long) value);
            case FLOAT -> (out, value) -> out.writeFloat((Float) value);
            case DOUBLE -> (out, value) -> out.writeDouble((Double) value);
            case BOOLEAN -> (out, value) -> out.writeBoolean((Boolean) value);
            case STRING -> (out, value) -> out.writeString((String) value);
            case BYTES -> (out, value) -> {
                if (value instanceof byte[] bytes) {
                    out.writeBytes(bytes);
                } else {
                    out.writeBytes((ByteBuffer) value);
                }
            };
            case ARRAY -> ofArray(of(schema.valueSchema(), avro.getElementType()));
            case RECORD -> ofStruct(schema, avro);
            default -> throw new NotWritable(avro.getType().getName());
        };
    }

    private static ValueWriter ofArray(ValueWriter element) {
        return (out, value) -> {
            Collection<?> elements = (Collection<?>) value;
            out.writeArrayStart();
            out.setItemCount(elements.size());
            for (Object each : elements) {
                out.startItem();
                element.write(out, each);
            }
            out.writeArrayEnd();
        };
    }

    private static ValueWriter ofStruct(Schema schema, org.apache.avro.Schema avro) throws NotWritable {
        if (schema.type() != Schema.Type.STRUCT || schema.fields().size() != avro.getFields().size()) {
            throw new NotWritable(avro.getFullName());
        }
        Field[] fields = schema.fields().toArray(new Field[0]);
        ValueWriter[] writers = new ValueWriter[fields.length];
        for (int i = 0; i < fields.length; i++) {
            org.apache.avro.Schema.Field theirs = avro.getFields().get(i);
            if (!theirs.name().equals(fields[i].name())) {
                throw new NotWritable(avro.getFullName() + "." + theirs.name());
            }
            writers[i] = of(fields[i].schema(), theirs.schema());
        }
        return (out, value) -> {
            Struct struct = (Struct) value;
            for (int i = 0; i < fields.length; i++) {
                // Struct.get(Field) takes the value by the field's place and the default from the field handed in.
                writers[i].write(out, struct.get(fields[i]));
            }
        };
    }
}
