import FailoverCore
import FailoverSystem
import FoundationEssentials
import Glibc

/// A mail about an event: RFC 5322 with a body in UTF-8.
struct MailMessage {
    let text: String

    init(_ event: FailoverEvent, from sender: String, to recipients: [String]) {
        let words = EventWords(event)
        let headers = [
            "From: failover <\(sender)>",
            "To: \(recipients.joined(separator: ",\n    "))",
            "Subject: \(Self.encoded("[failover] \(words.headline)"))",
            "Date: \(Self.date(event.time))",
            "Message-ID: <\(UUID().uuidString.lowercased())@\(Self.domain(event.host))>",
            // RFC 3834: nobody is to answer that he is on holiday.
            "Auto-Submitted: auto-generated",
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=utf-8",
            "Content-Transfer-Encoding: 8bit",
        ]
        text = (headers + ["", words.body]).joined(separator: "\n")
    }

    /// A header's text; in RFC 2047's encoding if there is more than ASCII in it, 39 bytes a word at the most.
    static func encoded(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 >= 128 }) else { return text }
        var words = [""]
        for character in text {
            if (words[words.count - 1] + String(character)).utf8.count > 39 { words.append("") }
            words[words.count - 1].append(character)
        }
        return words.map { "=?UTF-8?B?\(Data($0.utf8).base64EncodedString())?=" }.joined(separator: "\n ")
    }

    /// RFC 5322's date: `Tue, 24 Nov 2026 10:40:00 +0000`.
    static func date(_ time: WallTime) -> String {
        let parts = time.calendar
        let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let day = days[Int(parts.tm_wday)]
        let month = months[Int(parts.tm_mon)]
        let clock = time.text.dropFirst(11).prefix(8)
        return "\(day), \(parts.tm_mday) \(month) \(parts.tm_year + 1900) \(clock) +0000"
    }

    private static func domain(_ host: String) -> String {
        host.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || ".-".contains($0)) } && !host.isEmpty
            ? host : "localhost"
    }
}
