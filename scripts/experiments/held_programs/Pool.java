// HikariCP's pool under workers: Pool URL USER PASSWORD WORKERS REPLICA-PORT QUESTION
//
// The question is answered by the server's port and the session's number. Each piece of work is printed as a line of
// JSON, as experiments/event.py has it. Except for the size the pool has its defaults.

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Random;

public class Pool {
    record Place(int port, int session) {}

    static HikariDataSource pool;
    static int replica;
    static String question;

    public static void main(String[] words) throws Exception {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(words[0]);
        config.setUsername(words[1]);
        config.setPassword(words[2]);
        int workers = Integer.parseInt(words[3]);
        config.setMaximumPoolSize(workers);
        replica = Integer.parseInt(words[4]);
        question = words[5];
        pool = new HikariDataSource(config);
        for (int number = 0; number < workers; number++) {
            int worker = number;
            new Thread(() -> work(worker)).start();
        }
    }

    static void work(int worker) {
        Random chance = new Random(worker);
        pause(chance.nextDouble() * 1.4);
        double next = now();
        while (true) {
            if (chance.nextDouble() < 0.2) {
                transaction(worker, 0.05 + chance.nextDouble() * 0.25);
            } else {
                double began = now();
                try (Connection connection = pool.getConnection()) {
                    report("held", worker, began, ask(connection), null);
                } catch (SQLException failure) {
                    report("held", worker, began, null, failure.toString());
                }
            }
            if (now() >= next) {
                pause(1.0 + chance.nextDouble() * 0.4);
                next = now() - 5 * Math.log(1 - chance.nextDouble());
            } else {
                pause(0.05);
            }
        }
    }

    /** Checks itself: both reads must have the same answer. The driver sends BEGIN with the first read. */
    static void transaction(int worker, double wait) {
        double began = now();
        String kind = "closed";
        try (Connection connection = pool.getConnection()) {
            connection.setAutoCommit(false);
            Place first = ask(connection);
            kind = "transaction";
            began = now();
            pause(wait);
            Place second = ask(connection);
            connection.commit();
            boolean same = first.equals(second);
            String error = same ? null : "SelfCheckError: one transaction was at " + first + " and at " + second;
            report(kind, worker, began, second, error);
        } catch (SQLException failure) {
            report(kind, worker, began, null, failure.toString());
        }
    }

    static Place ask(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement(); ResultSet row = statement.executeQuery(question)) {
            row.next();
            return new Place(row.getInt(1), row.getInt(2));
        }
    }

    static void report(String kind, int worker, double began, Place place, String error) {
        String who = error != null ? "null" : place.port == replica ? "\"replica\"" : "\"primary\"";
        String text = error == null ? "null" : quoted(error);
        System.out.println(
            "{\"kind\": \"" + kind + "\", \"session\": " + worker + ", \"started\": " + began + ", \"ended\": " + now()
                + ", \"who\": " + who + ", \"error\": " + text + ", \"told\": false}");
    }

    static String quoted(String text) {
        return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"").replaceAll("\\s+", " ") + '"';
    }

    static double now() {
        return System.currentTimeMillis() / 1e3;
    }

    static void pause(double seconds) {
        try {
            Thread.sleep((long) (seconds * 1000));
        } catch (InterruptedException end) {
            throw new IllegalStateException(end);
        }
    }
}
