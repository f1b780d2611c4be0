package waybill.connect;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;

/**
 * A double as MySQL writes it in JSON: the fewest digits that read back as the same double, with a point (5.0), or
 * with an exponent (1e22) where the first digit stands more than 15 places from the point and none stands behind it.
 */
final class JsonDouble {

    private static final int PLAIN_DIGITS = 15;
    private static final int MOST_DIGITS = 17;

    private JsonDouble() {}

    static String text(double value) {
        if (value == 0) {
            return 1 / value < 0 ? "-0.0" : "0.0";
        }
        BigDecimal shortest = shortest(Math.abs(value)).stripTrailingZeros();
        String digits = shortest.unscaledValue().toString();
        int point = digits.length() - shortest.scale(); // digits before the point
        return (value < 0 ? "-" : "") + written(digits, point);
    }

    private static String written(String digits, int point) {
        if (point <= -PLAIN_DIGITS || (point > PLAIN_DIGITS && point >= digits.length())) {
            return digits.charAt(0) + (digits.length() > 1 ? "." + digits.substring(1) : "") + "e" + (point - 1);
        }
        if (point <= 0) {
            return "0." + "0".repeat(-point) + digits;
        }
        if (point >= digits.length()) {
            return digits + "0".repeat(point - digits.length()) + ".0";
        }
        return digits.substring(0, point) + "." + digits.substring(point);
    }

    /** Double.toString of Java 17 writes a digit too many here and there. */
    private static BigDecimal shortest(double value) {
        BigDecimal found = new BigDecimal(Double.toString(value));
        BigDecimal exact = new BigDecimal(value);
        for (int digits = Math.min(found.precision() - 1, MOST_DIGITS); digits > 0; digits--) {
            BigDecimal fewer = exact.round(new MathContext(digits, RoundingMode.HALF_EVEN));
            if (fewer.doubleValue() != value) { // Of a power of two the next double above is farther than the one below.
                fewer = exact.round(new MathContext(digits, RoundingMode.UP));
            }
            if (fewer.doubleValue() != value) {
                return found;
            }
            found = fewer;
        }
        return found;
    }
}
