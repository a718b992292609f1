import FailoverCore
import Foundation
import Testing

@testable import FailoverNotify

@Suite("Texts of events")
struct EventTextTests {
    @Test func jsonHasEveryKey() throws {
        let event = Events.event(.reminder(Events.refused, lasting: .milliseconds(3_600_500)), currentAlias: "default")
        let text = EventJSON(event).text
        #expect(!text.contains("\n"))
        let object = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? NSDictionary)
        let expected: NSDictionary = [
            "event": "reminder", "service": "slave",
            "message": "slave outage. Failover initiated. (Process ID: 42)", "reason": "refused",
            "detail": "10.0.0.2:5432: Connection refused", "time": "2026-01-02T03:04:05.000Z",
            "since": "2026-01-02T02:04:04.500Z", "duration_seconds": 3600.5, "current_alias": "default", "host": "web1",
            "process_id": 42, "test": false,
        ]
        #expect(object == expected)
    }

    @Test func whatIsNotKnownIsNull() throws {
        let text = EventJSON(Events.event(.recovery(after: .seconds(2)))).text
        #expect(text.contains(#""current_alias":null,"detail":null,"duration_seconds":2,"#))
        #expect(text.contains(#""reason":null,"#))
    }

    @Test func aStaleReplicaIsToldInTheSameShape() throws {
        let stale = Events.event(.stale(Staleness(behind: nil, bytesBehind: 48 << 20)), currentAlias: "default")
        let text = EventJSON(stale).text
        #expect(text.contains(#""detail":"48 MB behind","duration_seconds":0,"event":"stale","#), "\(text)")
        #expect(text.contains(#""reason":null,"#))
        #expect(WebhookFormat.slack.body(stale).contains("STALE: slave on web1 (48 MB behind), default serves"))
        #expect(MailMessage(stale, from: "a@example.com", to: ["b"]).text.contains("\nDetail:   48 MB behind\n"))
        let fresh = EventJSON(Events.event(.fresh(after: .milliseconds(1500)))).text
        #expect(fresh.contains(#""detail":null,"duration_seconds":1.5,"event":"fresh","#), "\(fresh)")
        #expect(fresh.contains(#""message":"slave is fresh again.""#))
    }

    @Test func headlinesAreForTiredPeople() {
        func headline(_ kind: FailoverEvent.Kind, _ alias: String? = nil, isTest: Bool = false) -> String {
            EventMessage(Events.event(kind, currentAlias: alias, isTest: isTest)).headline
        }
        #expect(headline(.outage(Events.refused), "default") == "DOWN: slave on web1 (refused), default serves")
        #expect(
            headline(.reminder(Events.refused, lasting: .seconds(3600)))
                == "STILL DOWN for 1h 0m: slave on web1 (refused)")
        #expect(headline(.recovery(after: .seconds(245)), "slave") == "UP again: slave on web1 after 4m 5s")
        let old = Staleness(behind: .seconds(12), stopped: "replay is paused")
        #expect(
            headline(.stale(old), "default") == "STALE: slave on web1 (12s behind: replay is paused), default serves")
        #expect(headline(.fresh(after: .seconds(61)), "slave") == "FRESH again: slave on web1 after 1m 1s")
        #expect(headline(.recovery(after: .zero), isTest: true).hasPrefix("TEST, nothing happened: UP again"))
    }

    @Test func aMailIsWellFormedWhateverIsInTheEvent() {
        let failure = PingFailure(.command, "first\nBcc: everybody@example.com\n.\nlast")
        let event = Events.event(.outage(failure), service: "büro")
        let text = MailMessage(event, from: "failover@example.com", to: ["ops@example.com", "root"]).text
        let parts = text.split(separator: "\n\n", maxSplits: 1).map(String.init)
        let headers = parts[0].split(separator: "\n").map(String.init)
        #expect(headers[0] == "From: failover <failover@example.com>")
        #expect(headers[1...2] == ["To: ops@example.com,", "    root"])
        #expect(headers[3].hasPrefix("Subject: =?UTF-8?B?"))
        #expect(headers.contains("Date: Fri, 2 Jan 2026 03:04:05 +0000"))
        #expect(headers.contains("Auto-Submitted: auto-generated"))
        #expect(!headers.contains { $0.hasPrefix("Bcc") })
        #expect(parts[1].contains("Detail:   first Bcc: everybody@example.com . last"))
    }

    @Test func aLongSubjectIsFoldedBetweenCharacters() {
        let encoded = MailMessage.encoded(String(repeating: "ü", count: 50))
        let words = encoded.split(separator: "\n ").map(String.init)
        #expect(words.count == 3)
        let decoded = words.compactMap { word in
            Data(base64Encoded: String(word.dropFirst(10).dropLast(2))).map { String(decoding: $0, as: UTF8.self) }
        }
        #expect(decoded.joined() == String(repeating: "ü", count: 50))
        #expect(words.allSatisfy { $0.utf8.count <= 75 })
        #expect(MailMessage.encoded("plain") == "plain")
    }
}
