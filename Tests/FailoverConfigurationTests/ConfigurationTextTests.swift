import FailoverCore
import Testing

@testable import FailoverConfiguration

struct ConfigurationTextTests {
    @Test(
        arguments: [
            ("2", .seconds(2)), ("2.5", .milliseconds(2500)), ("2s", .seconds(2)), ("500ms", .milliseconds(500)),
            ("5m", .seconds(300)), ("1h", .seconds(3600)), ("1.5s", .milliseconds(1500)), ("0", .zero), ("0s", .zero),
            ("0.001", .milliseconds(1)), ("0.0005m", .milliseconds(30)), ("1.500000000000", .milliseconds(1500)),
            ("8760h", .seconds(365 * 86_400)), ("007", .seconds(7)),
        ] as [(String, Duration)])
    func durationIsRead(text: String, expected: Duration) throws {
        #expect(try Duration(configurationText: text) == expected)
    }

    @Test(arguments: [
        "", " ", "s", "ms", ".", ".5", "5.", "1.2.3", "1 s", "2S", "2d", "+2", "1e3", "0x10", "1_000", "2s ", "inf",
        "nan", "-", "--2", "-soon", "-0", "-2s", "8761h", "8760.001h", "999999999999", "99999999999999999999", "0.0001",
        "0.5ms", "1.0000000000000000001", "٢s", "½",
    ])
    func nonsenseIsNoDuration(text: String) {
        #expect(throws: InvalidText.self) { try Duration(configurationText: text) }
    }

    @Test(
        arguments: [
            (String(repeating: "{", count: 128), nil), ("a\n" + String(repeating: "{", count: 129), 2),
            (String(repeating: "[]", count: 10_000), nil), (String(repeating: "]", count: 1000) + "[", nil),
            (String(repeating: "? ", count: 129), 1), (String(repeating: "?\n", count: 1000), nil),
        ] as [(String, Int?)])
    func keysInKeysAreFoundBeforeTheyAreHashed(text: String, line: Int?) {
        #expect(KeyNesting.firstLine(in: text) == line)
    }

    @Test func aDurationOfDashesIsReadInNoTime() {
        #expect(throws: InvalidText.self) {
            try Duration(configurationText: String(repeating: "-", count: 1_000_000) + "1")
        }
    }

    @Test(arguments: ["0", "1ms", "500ms", "1s", "1500ms", "90s", "3600s", "31536000s"])
    func durationIsWrittenAsItIsRead(text: String) throws {
        #expect(try Duration(configurationText: text).configurationText == text)
    }

    @Test(
        arguments: [
            ("1", 1), ("1024", 1024), ("512kB", 512 << 10), ("64MB", 64 << 20), ("1 GB", 1 << 30), ("3TB", 3 << 40),
            ("800B", 800), ("1024TB", 1 << 50),
        ] as [(String, UInt64)])
    func numberOfBytesIsRead(text: String, expected: UInt64) throws {
        #expect(try UInt64(byteText: text) == expected)
    }

    @Test(arguments: [
        "", "MB", "-1", "1.5MB", "1mb", "1KB", "1M", "1e6", "1025TB", "99999999999999999999", "1 MB ", "١kB",
    ])
    func nonsenseIsNoNumberOfBytes(text: String) {
        #expect(throws: InvalidText.self) { try UInt64(byteText: text) }
    }

    @Test(arguments: ["1023", "1kB", "1025kB", "64MB", "3GB", "1024TB"])
    func numberOfBytesIsWrittenAsItIsRead(text: String) throws {
        #expect(try UInt64(byteText: text).byteText == text)
    }

    @Test(
        arguments: [
            ("127.0.0.1:6432", .tcp(host: "127.0.0.1", port: 6432)), ("localhost:0", .tcp(host: "localhost", port: 0)),
            ("[::1]:65535", .tcp(host: "::1", port: 65535)), ("[fe80::1%eth0]:1", .tcp(host: "fe80::1%eth0", port: 1)),
            ("*:6432", .tcp(host: "0.0.0.0", port: 6432)), ("unix:/run/a b", .unix(path: "/run/a b")),
            ("db_1.internal.:5432", .tcp(host: "db_1.internal.", port: 5432)),
        ] as [(String, Endpoint)])
    func listenAddressIsRead(text: String, expected: Endpoint) throws {
        #expect(try Endpoint(listenText: text) == expected)
    }

    @Test(arguments: [
        "", ":", "6432", ":6432", "a:", "a:b", "a:-1", "a:+1", "a:65536", "a: 1", "::1:6432", "[::1]", "[::1:6432",
        "[]:1", "[a]:1", "[fe80::1%]:1", "[1.2.3.4]:1", "1.2.3:1", "1.2.3.4.5:1", "256.0.0.1:1", "a..b:1", "a b:1",
        "http://a:1", "unix:", "unix:a", "unix:/", "UNIX:/a", "**:1",
    ])
    func nonsenseIsNoListenAddress(text: String) {
        #expect(throws: InvalidText.self) { try Endpoint(listenText: text) }
    }

    @Test(arguments: [
        ("127.0.0.1:1", "127.0.0.1:1", true), ("127.0.0.1:1", "127.0.0.1:2", false),
        ("localhost:1", "127.0.0.1:1", true), ("*:1", "10.0.0.1:1", true), ("*:1", "[::1]:1", false),
        ("[::]:1", "[::1]:1", true), ("*:0", "*:0", false),
        ("unix:/a", "unix:/a", true), ("unix:/a", "*:1", false),
    ])
    func listenAddressesCollide(a: String, b: String, collide: Bool) throws {
        let (a, b) = (try Endpoint(listenText: a), try Endpoint(listenText: b))
        #expect(a.collides(with: b) == collide)
        #expect(b.collides(with: a) == collide)
    }

    @Test(arguments: [
        ("", "", 0), ("listen", "listen", 0), ("listn", "listen", 1), ("lisetn", "listen", 1), ("usr", "user", 1),
        ("", "abc", 3), ("kitten", "sitting", 3),
    ])
    func distanceCountsEdits(a: String, b: String, expected: Int) {
        #expect(KeySuggestion.distance(a, b) == expected)
        #expect(KeySuggestion.distance(b, a) == expected)
    }

    @Test(arguments: [
        ("listn", "listen"), ("Listen", "listen"), ("db-alias", "db_alias"), ("failover_alias", "failover_db_alias"),
        ("x", nil), ("something_else", nil), ("", nil),
    ])
    func nearestKeyIsSuggested(word: String, expected: String?) {
        #expect(KeySuggestion.nearest(to: word, among: ["listen", "db_alias", "failover_db_alias"]) == expected)
    }

    @Test(
        arguments: [
            ("a: *b", nil), ("*a : b", 1), ("*a: b", 1), ("x: 1\n? *a\n: b", 2), ("?\n  - *a\n: b", 1),
            ("{[*a, *b] : 1}", 1), ("{*a : 1}", 1), ("# *a : b\nc: *d", nil),
            ("listen: [\"[::1]:1\", *a]", nil),
            ("q: SELECT count(*) : b", nil), ("- ? *a", 1), ("? plain\n: b", nil),
        ] as [(String, Int?)])
    func aliasInKeyIsFound(text: String, line: Int?) {
        #expect(AliasInKey.firstLine(in: text) == line)
    }
}
