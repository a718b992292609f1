import FailoverCore
import FailoverTesting
import Foundation
import Testing

@testable import FailoverAdmin

@Suite("The admin plane", .timeLimit(.minutes(5)))
struct AdminServerTests {
    @Test func probesNeedNoTokenAndEverythingElseDoes() async throws {
        let admin = try await AdminUnderTest(token: "secret")
        #expect(try await admin.get("/livez").hasPrefix("HTTP/1.1 200 OK"))
        #expect(try await admin.get("/readyz").hasSuffix("\r\n\r\nready\n"))
        admin.backend.setReady(false)
        #expect(try await admin.get("/readyz").hasPrefix("HTTP/1.1 503"))
        for path in ["/metrics", "/api/v1/status", "/api/v1/events", "/api/v1/configuration", "/nothing"] {
            #expect(try await admin.get(path).hasPrefix("HTTP/1.1 401"), "\(path)")
            let answer = try await admin.get(path, headers: "Authorization: Bearer secret\r\n")
            #expect(answer.hasPrefix(path == "/nothing" ? "HTTP/1.1 404" : "HTTP/1.1 200"), "\(path)")
        }
        #expect(try await admin.post("/api/v1/aliases/a/drain").hasPrefix("HTTP/1.1 401"))
        #expect(admin.backend.actions == [])
        await admin.stop()
    }

    @Test func actionsAreDoneAndSaySo() async throws {
        let admin = try await AdminUnderTest()
        #expect(try await admin.post("/api/v1/services/a%20b/ping").hasSuffix(#"{"message":"ping a b"}"#))
        _ = try await admin.post("/api/v1/routes/slave/switch", #"{"alias": "default", "for_seconds": 60}"#)
        _ = try await admin.post("/api/v1/routes/slave/switch", #"{"alias": "default"}"#)
        _ = try await admin.post("/api/v1/routes/slave/drill")
        _ = try await admin.post(
            "/api/v1/routes/slave/drill", #"{"alias": "default", "for_seconds": 3600, "force": true}"#)
        _ = try await admin.post("/api/v1/aliases/slave/drain")
        _ = try await admin.post("/api/v1/aliases/slave/undrain")
        _ = try await admin.post("/api/v1/sessions/close", #"{"route": "slave", "alias": "slave"}"#)
        _ = try await admin.post("/api/v1/sessions/close", #"{"route": "slave", "alias": null}"#)
        #expect(
            admin.backend.actions == [
                "ping a b", "switch slave default 60", "switch slave default -", "drill slave - 30",
                "drill slave default 3600 forced", "drain slave", "undrain slave", "close slave slave", "close slave -",
            ])
        await admin.stop()
    }

    @Test func sessionsComePageByPage() async throws {
        let admin = try await AdminUnderTest()
        let first = AdminUnderTest.body(try await admin.get("/api/v1/sessions?limit=200"))
        #expect(first.contains(#""next":200"#))
        let second = AdminUnderTest.body(try await admin.get("/api/v1/sessions?limit=200&after=200"))
        #expect(second.contains(#""next":null"#))
        #expect(second.contains(#""id":250"#))
        for query in ["limit=0", "limit=201", "limit=x", "after=-1"] {
            #expect(try await admin.get("/api/v1/sessions?\(query)").hasPrefix("HTTP/1.1 400"), "\(query)")
        }
        #expect(try await admin.get("/api/v1/sessions?route=nobody").hasPrefix("HTTP/1.1 404"))
        await admin.stop()
    }

    @Test(arguments: [
        ("/api/v1/routes/slave/release", "{}", 409), ("/api/v1/aliases/nobody/drain", "{}", 404),
        ("/api/v1/routes/slave/fly", "{}", 404), ("/api/v1/status", "{}", 404), ("/nothing", "{}", 404),
        ("/api/v1/routes/slave/switch", "{}", 400), ("/api/v1/routes/slave/switch", "no JSON", 400),
        ("/api/v1/routes/slave/switch", #"{"alias": "a", "for_seconds": 0}"#, 400), ("/livez", "{}", 405),
        ("/api/v1/routes/slave/drill", #"{"for_seconds": 0}"#, 400),
        ("/api/v1/routes/slave/drill", #"{"for_seconds": 3601}"#, 400),
        ("/api/v1/routes/slave/drill", #"{"force": "yes"}"#, 400), ("/api/v1/routes/nobody/drill", "{}", 404),
        ("/api/v1/routes/slave/end-drill", "{}", 409), ("/api/v1/sessions/close", "{}", 400),
        ("/api/v1/sessions/a/b/close", #"{"route": "slave"}"#, 404),
    ])
    func whatCannotBeDoneSaysWhy(path: String, body: String, status: Int) async throws {
        let admin = try await AdminUnderTest()
        let answer = try await admin.post(path, body)
        #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(answer)")
        #expect(answer.contains(#"{"error":""#))
        #expect(admin.backend.actions == [])
        await admin.stop()
    }

    @Test func nothingIsChangedByReading() async throws {
        let admin = try await AdminUnderTest()
        for path in ["/api/v1/aliases/slave/drain", "/api/v1/routes/slave/switch"] {
            for method in ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"] {
                let answer = try await admin.get(path, method: method, headers: "Content-Type: application/json\r\n")
                #expect(answer.hasPrefix("HTTP/1.1 40"), "\(method) \(path): \(answer)")
            }
        }
        #expect(admin.backend.actions == [])
        await admin.stop()
    }

    @Test func theStreamBeginsWithTheStatusAndTellsEachEvent() async throws {
        let admin = try await AdminUnderTest()
        let client = try await TCPClient.connect(port: admin.port)
        try await client.send("GET /api/v1/events/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
        var text = ""
        func read(until part: String) async throws {
            while !text.contains(part) {
                let next = try await client.receiveText(1)
                text += try #require(next.isEmpty ? nil : next, "the stream has ended")
            }
        }
        try await read(until: "event: status\ndata: {")
        admin.backend.events.add(AdminEvent(.drain, "slave", "slave is drained", at: WallTime(sinceEpoch: .zero)))
        try await read(until: "id: 1\nevent: event\ndata: {")
        #expect(text.contains("text/event-stream"))
        await admin.stop()
    }

    @Test func whatIsTooMuchIsRefusedAndEndsTheConnection() async throws {
        let admin = try await AdminUnderTest()
        let long = String(repeating: "x", count: 100_000)
        for request in [
            "GET /livez HTTP/1.1\r\nHost: localhost\r\nX: \(long)\r\n\r\n",
            "GET /livez HTTP/1.1\r\nHost: localhost\r\n"
                + (0..<200).map { "X-\($0): y\r\n" }.joined() + "\r\n",
            "garbage\r\n\r\n", "\u{0}\u{1}\u{2}",
        ] {
            let answer = try await admin.answer(request)
            #expect(!answer.hasPrefix("HTTP/1.1 200"), "\(answer.prefix(200))")
        }
        let body = try await admin.post("/api/v1/sessions/close", long)
        #expect(body.isEmpty || body.hasPrefix("HTTP/1.1 413"), "\(body.prefix(200))")
        #expect(try await admin.get("/livez").hasPrefix("HTTP/1.1 200 OK"))
        await admin.stop()
    }

    @Test func connectionsBeyondTheLimitAreClosedAndTheOthersGoOn() async throws {
        let admin = try await AdminUnderTest()
        var clients: [TCPClient] = []
        for _ in 0..<64 {
            let client = try await TCPClient.connect(port: admin.port)
            try await client.send("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(try await client.receiveText(15) == "HTTP/1.1 200 OK")
            clients.append(client)
        }
        // The oldest idle connection is closed to make room.
        #expect(try await admin.get("/livez").hasPrefix("HTTP/1.1 200 OK"))
        #expect(try await clients[0].drain() > 0)
        // The other connections continue.
        try await clients[63].send("GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        #expect(try await clients[63].receiveText(1000).contains("ready\n"))
        await admin.stop()
    }

    /// Case 19.
    @Test(arguments: [
        "", "GET /livez HTTP/1.1\r\nHost: lo", "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n",
    ])
    func probesAreAnsweredWhileConnectionsAreHeldInSilence(words: String) async throws {
        let admin = try await AdminUnderTest(token: "secret")
        var clients: [TCPClient] = []
        for _ in 0..<64 {
            let client = try await TCPClient.connect(port: admin.port)
            try await client.send(words)
            clients.append(client)
        }
        for _ in 0..<30 {
            #expect(try await admin.get("/livez").hasPrefix("HTTP/1.1 200 OK"))
            #expect(try await admin.get("/readyz").hasPrefix("HTTP/1.1 200 OK"))
        }
        // A client with a valid token is also admitted.
        let status = try await admin.get("/api/v1/status", headers: "Authorization: Bearer secret\r\n")
        #expect(status.hasPrefix("HTTP/1.1 200 OK"))
        _ = clients
        await admin.stop()
    }

    /// Case 19.
    @Test func probesAreAnsweredHoweverManyFollowTheEvents() async throws {
        let admin = try await AdminUnderTest()
        var (clients, refused): ([TCPClient], Int) = ([], 0)
        for _ in 0..<64 {
            let client = try await TCPClient.connect(port: admin.port)
            try await client.send("GET /api/v1/events/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
            let answer = try await client.receiveText(12)
            if answer == "HTTP/1.1 200" { clients.append(client) } else { refused += answer == "HTTP/1.1 503" ? 1 : 0 }
        }
        #expect(clients.count == 48)
        #expect(refused == 16)
        for path in ["/livez", "/readyz", "/api/v1/status"] {
            #expect(try await admin.get(path).hasPrefix("HTTP/1.1 200 OK"), "\(path)")
        }
        await admin.stop()
    }

    @Test func anotherProbeIsAnsweredWhereEverybodyIsBusy() async throws {
        let admin = try await AdminUnderTest()
        let held = admin.backend.holdSessions()
        var clients: [TCPClient] = []
        for _ in 0..<64 {
            let client = try await TCPClient.connect(port: admin.port)
            try await client.send("GET /api/v1/sessions HTTP/1.1\r\nHost: localhost\r\n\r\n")
            clients.append(client)
        }
        #expect(await eventually { admin.backend.heldSessions == 64 })
        #expect(try await admin.get("/livez").hasPrefix("HTTP/1.1 200 OK"))
        #expect(try await admin.get("/api/v1/status").hasPrefix("HTTP/1.1 503"))
        held.finish()
        for client in clients { #expect(try await client.receiveText(12) == "HTTP/1.1 200") }
        await admin.stop()
    }

    @Test func whoSaysNothingOrTooLittleIsLetGo() async throws {
        let admin = try await AdminUnderTest(idleTime: .milliseconds(100))
        for words in ["", "GET /livez HT", "GET /livez HTTP/1.1\r\nHost: localhost\r\n"] {
            let client = try await TCPClient.connect(port: admin.port)
            // On a slow machine the server's limit may end before this.
            try? await client.send(words)
            #expect(try await client.isLetGo())
        }
        await admin.stop()
    }

    @Test func aUnixSocketIsNobodyElsesAndAnAbandonedOneIsReplaced() async throws {
        let scratch = try Scratch()
        let path = scratch.path("socket")
        let first = try await AdminUnderTest(.unix(path: path))
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect((mode ?? 0o777) & 0o007 == 0)
        // A server listens there.
        await #expect(throws: OperationError.self) { _ = try await AdminUnderTest(.unix(path: path)) }
        await first.stop()
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test func aListenerThatFailsIsOneClearLine() async throws {
        let taken = EchoBackend()
        let error = await #expect(throws: OperationError.self) {
            _ = try await AdminUnderTest(.tcp(host: "127.0.0.1", port: UInt16(taken.port)))
        }
        #expect(
            error?.description
                == "cannot listen on 127.0.0.1:\(taken.port) for administration: Address already in use")
    }

    @Test func thePageMayDoNothingButShowThisServer() async throws {
        let admin = try await AdminUnderTest(token: "secret")
        let answer = try await admin.get("/")
        #expect(answer.hasPrefix("HTTP/1.1 200 OK"))
        let policy =
            /Content-Security-Policy: default-src 'none'; style-src 'sha256-[A-Za-z0-9+\/]{43}='; script-src 'sha256-/
        #expect(answer.contains(policy))
        #expect(!answer.contains("'none'; style-src 'none'"))
        #expect(answer.contains("<!doctype html>") || answer.contains("<!DOCTYPE html>"))
        await admin.stop()
    }
}
