package waybill.connect;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.Driver;
import java.sql.DriverPropertyInfo;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.sql.Statement;
import java.util.Properties;
import java.util.logging.Logger;

/**
 * MySQL's driver, with FLOAT columns read whole: the statements of Debezium's snapshots go through {@link ExactFloats}.
 *
 * <p>Why here: in the text protocol MySQL writes a FLOAT with six digits, so that a snapshot's value differs from the
 * stream's. Debezium reads by that protocol unless cursors are used, which copy each table into a temporary one on the
 * server; a converter sees the value too late; and of the statements only the first snapshot's can be set. The driver is
 * the one place that first and incremental snapshots share ({@code database.jdbc.driver}).
 */
public final class ExactFloatDriver implements Driver {

    private static final String MYSQL = "com.mysql.cj.jdbc.Driver";

    private final Driver mysql;

    /** Debezium makes one for each connection. */
    public ExactFloatDriver() throws SQLException {
        try {
            this.mysql = (Driver) Class.forName(MYSQL).getDeclaredConstructor().newInstance();
        } catch (ReflectiveOperationException error) {
            throw new SQLException("Debezium's plugin folder has no " + MYSQL, error);
        }
    }

    @Override
    public Connection connect(String url, Properties info) throws SQLException {
        Connection connection = mysql.connect(url, info);
        if (connection == null) {
            return null;
        }
        ExactFloats exact = new ExactFloats(connection);
        return around(Connection.class, connection, (proxy, method, arguments) -> {
            if (arguments != null && method.getName().startsWith("prepare") && arguments[0] instanceof String sql) {
                arguments[0] = exact.rewritten(sql);
            }
            Object found = invoked(connection, method, arguments);
            boolean plain = found instanceof Statement && !(found instanceof PreparedStatement);
            return plain ? statement((Statement) found, exact) : found;
        });
    }

    private static Statement statement(Statement statement, ExactFloats exact) {
        return around(Statement.class, statement, (proxy, method, arguments) -> {
            if (arguments != null && method.getName().startsWith("execute") && arguments[0] instanceof String sql) {
                arguments[0] = exact.rewritten(sql);
            }
            return invoked(statement, method, arguments);
        });
    }

    private static <T> T around(Class<T> type, T inner, InvocationHandler handler) {
        return type.cast(Proxy.newProxyInstance(inner.getClass().getClassLoader(), new Class<?>[] {type}, handler));
    }

    private static Object invoked(Object inner, java.lang.reflect.Method method, Object[] arguments) throws Throwable {
        try {
            return method.invoke(inner, arguments);
        } catch (InvocationTargetException error) {
            throw error.getCause();
        }
    }

    @Override
    public boolean acceptsURL(String url) throws SQLException {
        return mysql.acceptsURL(url);
    }

    @Override
    public DriverPropertyInfo[] getPropertyInfo(String url, Properties info) throws SQLException {
        return mysql.getPropertyInfo(url, info);
    }

    @Override
    public int getMajorVersion() {
        return mysql.getMajorVersion();
    }

    @Override
    public int getMinorVersion() {
        return mysql.getMinorVersion();
    }

    @Override
    public boolean jdbcCompliant() {
        return mysql.jdbcCompliant();
    }

    @Override
    public Logger getParentLogger() throws SQLFeatureNotSupportedException {
        return mysql.getParentLogger();
    }
}
