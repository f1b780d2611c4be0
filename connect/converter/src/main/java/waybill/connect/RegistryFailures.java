package waybill.connect;

import io.apicurio.registry.rest.client.exception.RateLimitedClientException;
import io.apicurio.registry.rest.client.exception.RestClientException;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.apache.kafka.connect.errors.RetriableException;

/**
 * Tells a registry that cannot answer now from one that says no.
 *
 * <p>Kafka Connect repeats a conversion only for a {@link RetriableException}; any other ends the task for good. The
 * registry's client throws exceptions of its own for a refused connection as for a schema that is refused.
 */
final class RegistryFailures {

    private static final int SERVER_ERROR = 500;

    private RegistryFailures() {}

    /** The same failure, as a RetriableException when waiting may help. */
    static RuntimeException translated(RuntimeException failure, String topic) {
        return passes(failure)
                ? new RetriableException(
                        "the schema registry cannot be asked for the schema of topic " + topic
                                + "; the record is kept and tried again: " + failure.getMessage(),
                        failure)
                : failure;
    }

    private static boolean passes(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof RetriableException
                    || cause instanceof RateLimitedClientException
                    || cause instanceof UncheckedIOException
                    || cause instanceof IOException
                    || cause instanceof InterruptedException) {
                return true;
            }
            if (cause instanceof RestClientException answer) {
                // No code: there was no HTTP answer (connection refused, reset, timed out), or none of the registry's.
                Integer code = answer.getError() == null ? null : answer.getError().getErrorCode();
                return code == null || code == 0 || code >= SERVER_ERROR;
            }
            if (cause.getCause() == cause) {
                return false;
            }
        }
        return false;
    }
}
