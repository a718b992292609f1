import Testing

@testable import FailoverProxy

/// Which statements may change more of a session than its transactions.
@Suite("Statements that may change a session")
struct StatementScannerTests {
    /// The effect of a text, in one piece and byte by byte.
    private func effect(_ text: String) -> StatementEffect {
        let bytes = Array(text.utf8)
        var whole = StatementScanner()
        bytes.withUnsafeBytes { whole.read($0) }
        whole.end()
        var pieces = StatementScanner()
        for byte in bytes { withUnsafeBytes(of: byte) { pieces.read($0) } }
        pieces.end()
        #expect(whole.effect == pieces.effect, "\(text)")
        return whole.effect
    }

    @Test(
        arguments: [
            "", " ; ;", "-- only a comment", "/* one /* in */ another */",
            "SELECT 1", "select * from orders where id = $1", "TABLE orders", "VALUES (1), (2)",
            "WITH a AS (SELECT 1) SELECT * FROM a", "WITH a AS (INSERT INTO t VALUES (1) RETURNING 1) SELECT * FROM a",
            "SET LOCAL app.tenant = '42'", "UPDATE t SET a.b = 1", "SELECT insert FROM t", "WITH a AS (SELECT 1) INSERT INTO t TABLE a",
            "INSERT INTO t (a) VALUES ('set_config(')", "UPDATE t SET (a, b) = (1, 2)", "UPDATE t SET a = 1",
            "DELETE FROM t", "MERGE INTO t USING s ON true WHEN MATCHED THEN DO NOTHING",
            "BEGIN", "START TRANSACTION READ ONLY", "COMMIT; BEGIN", "END", "ABORT", "ROLLBACK TO SAVEPOINT a",
            "SAVEPOINT a", "RELEASE a", "SET LOCAL work_mem = '1GB'", "set transaction isolation level serializable",
            "SET CONSTRAINTS ALL DEFERRED", "SHOW work_mem", "EXPLAIN (ANALYZE) SELECT count(*) FROM t",
            "DECLARE c CURSOR FOR SELECT 1", "FETCH 10 FROM c", "MOVE c", "COPY t TO STDOUT", "LOCK TABLE t",
            "NOTIFY channel", "SELECT pg_advisory_xact_lock(1)", "SELECT pg_try_advisory_xact_lock_shared(1, 2)",
            "SELECT $$ SET x = 1; set_config( $$", "SELECT $tag$ $$ ' set_config( $tag$", "SELECT $1, $2::text",
            "SELECT 'it''s', E'it\\'s \\\\', U&'\\0041'", "SELECT a$b FROM t", "SELECT 1 /* ; SET x = 1 */ + 2 -- ; SET",
            "SELECT \"set_config\" FROM t", "SELECT 1e5, 0x1F, a / (b), a - (b)", "SELECT into_account FROM t",
        ])
    func harmless(_ text: String) { #expect(effect(text) == .none, "\(text)") }

    @Test(
        arguments: [
            "SET work_mem = '1GB'", "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", "RESET ALL", "DISCARD ALL",
            "SET TIME ZONE 'UTC'", "SET \"work_mem\" = 1", "SELECT 1; SET x = 1", "BEGIN; SET x = 1.5; COMMIT",
            "SET SESSION AUTHORIZATION app", "SELECT set_config('TimeZone', 'UTC', false)",
            "SELECT pg_catalog . set_config ('work_mem', '1.5', false)", "SELECT \"set_config\"('a', 'b', false)",
            "SELECT pg_advisory_lock(1)", "SELECT pg_try_advisory_lock_shared(1)",
            "SELECT * INTO TEMP t FROM s", "WITH a AS (SELECT 1) SELECT * INTO t FROM a", "TABLE t; SELECT 1 INTO u",
            "SELECT 1 AS insert INTO TEMP t", "CREATE TEMP TABLE t (a int)", "CREATE TABLE t AS SELECT 1",
            "EXPLAIN ANALYZE CREATE TABLE t AS SELECT 1", "EXPLAIN ANALYZE EXECUTE p", "PREPARE p AS SELECT 1",
            "EXECUTE p", "DEALLOCATE p", "CLOSE c", "LISTEN c", "UNLISTEN *", "ALTER SESSION SET x = 1", "VACUUM",
            "DECLARE c CURSOR WITH HOLD FOR SELECT 1", "DECLARE c CURSOR WITH /**/ hold FOR SELECT 1",
            "UPDATE pg_settings SET setting = '64MB'", "UPDATE ONLY pg_catalog.pg_settings SET setting = '64MB'",
            "SELECT $$a$$; RESET x", "SELECT E'\\\\'; RESET x", "SELECT '-- '; RESET x", "SELECT 1 --\n; RESET x",
            "SELECT /*/ */ 1; RESET x", "SELECT 1 /* * / */; RESET x", "SELECT N'a'; RESET x", "SELECT $1; RESET x",
            "SELECT $a$ $a$; RESET x", "SELECT $a$ $$a$; RESET x", "SELECT a$b$c FROM t; RESET x",
        ])
    func told(_ text: String) { #expect(effect(text) == .told, "\(text)") }

    @Test(
        arguments: [
            "SET app.tenant = '42'", "SET SESSION app.tenant = '42'", "SET \"app\".tenant = '42'", "RESET app.tenant",
            "SET local.x = 1", "SET transaction.x = 1", "SET seed = 0.5", "SET SESSION seed TO 0.5", "set", "SET;",
            "SELECT set_config('app.tenant', 'c', false)", "SELECT set_config($1, $2, false)",
            "SELECT set_config(name, 'c', false) FROM t", "SELECT set_config(\"name\", 'c', false) FROM t",
            "SELECT set_config/* here */('a.b', 'b', false)", "SELECT set_config -- here\n('a.b', 'b', false)",
            "SELECT set_config(E'a\\x2eb', 'b', false)", "SELECT set_config(lower('A.B'), 'b', false)",
            "SELECT set_config(('a.b'), 'b', false)", "SELECT set_config($$a.b$$, 'b', false)",
            "SELECT set_config(E'a.b', 'b', false)", "SELECT set_config(name => 'a.b', new_value => 'b', is_local => false)",
            "SELECT U&\"set\\005fconfig\"('a', 'b', false)", "SELECT setval('s', 1)", "SELECT nextval('s')",
            "SELECT setseed(0.5)", "SELECT dblink_connect('a', 'b')", "SELECT pg_backup_start('a')",
            "SELECT pg_create_physical_replication_slot('a', false, true)",
            "DO $$ BEGIN SET x = 1; END $$", "CALL p()", "LOAD 'library'", "a_new_statement_of_a_later_version",
            "\"SELECT\" 1", "SELECT 'a\\'; SET x = 1 --'", "SELECT 'not closed", "SELECT $$ not closed",
            "SELECT $a$ $b$", "/* not closed", "SELECT \"not closed",
            "SELECT a_name_that_is_longer_than_any_function_of_the_server(1)",
        ])
    func hidden(_ text: String) { #expect(effect(text) == .hidden, "\(text)") }
}
