package waybill.connect;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Struct;

/**
 * Schemas whose optional parts carry no default, and values moved over to them.
 *
 * <p>{@link Struct#get(Field)} answers the default where a value is null, so a converter that reads through it turns
 * the NULL of a nullable column into the column's DEFAULT. Without the default there is nothing to turn it into. Name,
 * version, doc and parameters (the source's types among them) are kept.
 *
 * <p>Schemas are remembered by identity: Debezium makes one schema object a table and version, so a schema is rebuilt
 * once and not once a record. Not for use by two threads.
 */
final class DefaultFreeSchemas {

    /** More schemas than this are never alive together; a growing number means identities that do not repeat. */
    private static final int MOST_REMEMBERED = 1_000;

    private final Map<Schema, Schema> byIdentity = new IdentityHashMap<>();

    /** The schema without defaults on its optional parts; null stays null. */
    Schema of(Schema schema) {
        if (schema == null) {
            return null;
        }
        Schema known = byIdentity.get(schema);
        if (known == null) {
            if (byIdentity.size() >= MOST_REMEMBERED) {
                byIdentity.clear();
            }
            known = rebuilt(schema);
            byIdentity.put(schema, known);
        }
        return known;
    }

    private Schema rebuilt(Schema schema) {
        boolean dropsDefault = schema.isOptional() && schema.defaultValue() != null;
        return switch (schema.type()) {
            case STRUCT -> {
                SchemaBuilder builder = like(schema, SchemaBuilder.struct());
                boolean same = !dropsDefault;
                for (Field field : schema.fields()) {
                    Schema inner = of(field.schema());
                    same &= inner == field.schema();
                    builder.field(field.name(), inner);
                }
                yield same ? schema : builder.build();
            }
            case ARRAY -> {
                Schema elements = of(schema.valueSchema());
                boolean same = !dropsDefault && elements == schema.valueSchema();
                yield same ? schema : like(schema, SchemaBuilder.array(elements)).build();
            }
            case MAP -> {
                Schema keys = of(schema.keySchema());
                Schema values = of(schema.valueSchema());
                boolean same = !dropsDefault && keys == schema.keySchema() && values == schema.valueSchema();
                yield same ? schema : like(schema, SchemaBuilder.map(keys, values)).build();
            }
            default -> dropsDefault ? like(schema, SchemaBuilder.type(schema.type())).build() : schema;
        };
    }

    private SchemaBuilder like(Schema schema, SchemaBuilder builder) {
        builder.name(schema.name()).version(schema.version()).doc(schema.doc());
        if (schema.parameters() != null) {
            builder.parameters(schema.parameters());
        }
        if (schema.isOptional()) {
            builder.optional();
        } else if (schema.defaultValue() != null && schema.type().isPrimitive()) {
            builder.defaultValue(schema.defaultValue());
        }
        return builder;
    }

    /** The value under its new schema: structs are copied field by field, anything else without structs is itself. */
    Object moved(Schema from, Schema to, Object value) {
        if (value == null || from == to) {
            return value;
        }
        return switch (from.type()) {
            case STRUCT -> movedStruct((Struct) value, to);
            case ARRAY -> {
                List<Object> copy = new ArrayList<>();
                for (Object element : (List<?>) value) {
                    copy.add(moved(from.valueSchema(), to.valueSchema(), element));
                }
                yield copy;
            }
            case MAP -> {
                Map<Object, Object> copy = new HashMap<>();
                for (Map.Entry<?, ?> entry : ((Map<?, ?>) value).entrySet()) {
                    copy.put(
                            moved(from.keySchema(), to.keySchema(), entry.getKey()),
                            moved(from.valueSchema(), to.valueSchema(), entry.getValue()));
                }
                yield copy;
            }
            default -> value;
        };
    }

    private Struct movedStruct(Struct struct, Schema to) {
        Struct copy = new Struct(to);
        List<Field> fields = to.fields();
        for (Field old : struct.schema().fields()) {
            Field field = fields.get(old.index());
            copy.put(field, moved(old.schema(), field.schema(), struct.getWithoutDefault(old.name())));
        }
        return copy;
    }
}
