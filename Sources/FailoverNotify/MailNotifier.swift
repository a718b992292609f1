package import FailoverCore
package import FailoverSystem
import FoundationEssentials
import Glibc

/// Sends each event as a mail through sendmail(8). Every mail transfer agent provides this program.
package struct MailNotifier: Notifier {
    package let name: String
    private let recipients: [String]
    private let sender: String
    private let sendmail: String
    private let threads: BlockingThreads

    /// - Parameters:
    ///   - recipients: mail addresses. None of them starts with a hyphen, so that none is read as an option.
    ///   - sendmail: the absolute path of the program.
    package init(to recipients: [String], from sender: String, sendmail: String, threads: BlockingThreads) {
        name = "mail to \(recipients.joined(separator: ", "))"
        self.recipients = recipients
        self.sender = sender
        self.sendmail = sendmail
        self.threads = threads
    }

    package func deliver(_ event: FailoverEvent, limit: Duration) async throws {
        let message = MailMessage(event, from: sender, to: recipients)
        // With -i, a line with a single dot does not end the message. With -f, bounces go to the configured sender.
        let words = [sendmail, "-i", "-f", sender, "--"] + recipients
        try await threads.deliver(by: Command(words, input: Array(message.text.utf8)), limit: limit)
    }
}

/// The mail about an event, in the format of RFC 5322 with a body in UTF-8.
struct MailMessage {
    let text: String

    init(_ event: FailoverEvent, from sender: String, to recipients: [String]) {
        let message = EventMessage(event)
        let headers = [
            "From: failover <\(sender)>",
            "To: \(recipients.joined(separator: ",\n    "))",
            "Subject: \(Self.encoded("[failover] \(message.headline)"))",
            "Date: \(Self.date(event.time))",
            "Message-ID: <\(UUID().uuidString.lowercased())@\(Self.domain(event.host))>",
            // RFC 3834: suppresses automatic replies.
            "Auto-Submitted: auto-generated",
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=utf-8",
            "Content-Transfer-Encoding: 8bit",
        ]
        text = (headers + ["", message.body]).joined(separator: "\n")
    }

    /// The value of a header. Text beyond ASCII is encoded as in RFC 2047, with at most 39 bytes per word.
    static func encoded(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 >= 128 }) else { return text }
        var words = [""]
        for character in text {
            if (words[words.count - 1] + String(character)).utf8.count > 39 { words.append("") }
            words[words.count - 1].append(character)
        }
        return words.map { "=?UTF-8?B?\(Data($0.utf8).base64EncodedString())?=" }.joined(separator: "\n ")
    }

    /// The date as in RFC 5322: `Tue, 24 Nov 2026 10:40:00 +0000`.
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
