package import FailoverCore
package import FailoverSystem

/// Sends each event as a mail through sendmail(8), which every mail transfer agent brings.
package struct MailNotifier: Notifier {
    package let name: String
    private let recipients: [String]
    private let sender: String
    private let sendmail: String
    private let threads: BlockingThreads

    /// - Parameters:
    ///   - recipients: addresses, none of which could be taken for an option.
    ///   - sendmail: the program's absolute path.
    package init(to recipients: [String], from sender: String, sendmail: String, threads: BlockingThreads) {
        name = "mail to \(recipients.joined(separator: ", "))"
        self.recipients = recipients
        self.sender = sender
        self.sendmail = sendmail
        self.threads = threads
    }

    package func deliver(_ event: FailoverEvent, limit: Duration) async throws {
        let message = MailMessage(event, from: sender, to: recipients)
        // -i: a line with a single dot is no end. -f: bounces go to the sender of the configuration.
        let words = [sendmail, "-i", "-f", sender, "--"] + recipients
        try await threads.deliver(by: Command(words, input: Array(message.text.utf8)), limit: limit)
    }
}
