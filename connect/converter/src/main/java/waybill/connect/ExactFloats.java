package waybill.connect;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Rewrites a statement that reads whole rows of a table which has FLOAT columns: each is asked for as a DOUBLE.
 *
 * <p>{@code `c` * 1E0} is the same number in double precision, minus zero included, of which MySQL's text has every
 * digit. Every other statement stays as it is, also that of a table without FLOAT.
 */
final class ExactFloats {

    private static final String NAME = "`((?:[^`]|``)+)`";
    private static final Pattern ROWS = Pattern.compile(
            "\\s*SELECT\\s+(\\*|" + NAME + "(?:\\s*,\\s*" + NAME + ")*)\\s+FROM\\s+" + NAME + "\\." + NAME + "(\\s.*)?",
            Pattern.CASE_INSENSITIVE | Pattern.DOTALL);
    private static final Pattern ONE = Pattern.compile(NAME);
    private static final String COLUMNS = "SELECT column_name, data_type FROM information_schema.columns"
            + " WHERE table_schema = ? AND table_name = ? ORDER BY ordinal_position";

    private final Connection connection;

    ExactFloats(Connection connection) {
        this.connection = connection;
    }

    /** The statement to send instead. The columns are looked up anew each time: a table may change between two chunks. */
    String rewritten(String sql) throws SQLException {
        Matcher found = ROWS.matcher(sql);
        if (!found.matches()) {
            return sql;
        }
        List<String> all = new ArrayList<>();
        Set<String> floats = new HashSet<>();
        describe(plain(found.group(4)), plain(found.group(5)), all, floats);
        if (floats.isEmpty()) {
            return sql;
        }
        List<String> wanted = "*".equals(found.group(1)) ? all : named(found.group(1));
        List<String> parts = new ArrayList<>();
        for (String column : wanted) {
            String quoted = "`" + column.replace("`", "``") + "`";
            parts.add(floats.contains(column) ? quoted + " * 1E0 AS " + quoted : quoted);
        }
        return sql.substring(0, found.start(1)) + String.join(", ", parts) + sql.substring(found.end(1));
    }

    private void describe(String schema, String table, List<String> all, Set<String> floats) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(COLUMNS)) {
            statement.setString(1, schema);
            statement.setString(2, table);
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    String name = rows.getString(1);
                    all.add(name);
                    if ("float".equalsIgnoreCase(rows.getString(2))) {
                        floats.add(name);
                    }
                }
            }
        }
    }

    private static List<String> named(String projection) {
        List<String> names = new ArrayList<>();
        Matcher each = ONE.matcher(projection);
        while (each.find()) {
            names.add(plain(each.group(1)));
        }
        return names;
    }

    private static String plain(String quoted) {
        return quoted.replace("``", "`");
    }
}
