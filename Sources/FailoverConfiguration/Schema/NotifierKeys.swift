import FailoverCore

extension Schema {
    /// The kinds of notifiers, by `type`.
    static let notifierTypes: [(word: String, meaning: SectionSchema<NotifierConfiguration>)] = [
        ("webhook", webhook), ("command", command), ("mail", mail),
    ]

    static let notifierExamples = KeyDocumentation.Content.list([
        [webhook.documentation], [command.documentation],
        [mail.documentation, mail.sharedDocumentation("every notifier")],
    ])

    private static let webhook = notifier("webhook", .webhook(url: Secret(""), format: .json, tlsAuthorities: nil)) {
        "An HTTP POST with the event. If it fails, there are three more attempts, after 1, 2 and 4 seconds."
        type("webhook")
        "https://, or http://. The URL is hidden in logs, because such URLs often hold a token."
        Key("url", \.asWebhook.url, .webhookURL, required: true, example: "https://hooks.example.com/failover/EXAMPLE")
        "The body: the event as JSON, or what Slack takes."
        Key("format", \.asWebhook.format, .choice)
        "A PEM file with the certificate authorities that are trusted for the server."
        authorities(\.asWebhook.tlsAuthorities)
    }

    private static let command = notifier("command", .command([])) {
        "A program that reads the event, as JSON, from its standard input."
        type("command")
        "The program and its arguments."
        Key("run", \.asCommand, .command, required: true, example: "[/usr/local/bin/example-pager]")
    }

    private static let mail = notifier("mail", .mail(to: [], from: "", sendmail: "/usr/sbin/sendmail")) {
        "Mail through sendmail(8)."
        type("mail")
        "The recipients."
        Key(
            "to", \.asMail.to, .list(.mailAddress, ifEmpty: "needs at least one recipient"), required: true,
            example: "[ops@example.com]")
        "The sender."
        Key("from", \.asMail.from, .mailAddress, required: true, example: "failover@example.com")
        "The program that takes the mail."
        Key("sendmail", \.asMail.sendmail, .program)
    }

    private static func notifier(
        _ type: String, _ kind: NotifierConfiguration.Kind,
        @KeysBuilder<NotifierConfiguration> keys: () -> [Key<NotifierConfiguration>]
    ) -> SectionSchema<NotifierConfiguration> {
        SectionSchema(
            "a notifier of type \(type)", NotifierConfiguration(kind: kind), shared: everyNotifier, keys: keys)
    }

    @KeysBuilder<NotifierConfiguration> private static var everyNotifier: [Key<NotifierConfiguration>] {
        "The services whose events are sent."
        Key(
            "services", \.services,
            .optional(
                ValueKind<[String]>.list(
                    .text.named("name"), ifEmpty: "selects no service; leave it out to select all"
                )
                .mapped({ Set($0) }, { $0.sorted() })),
            default: "all", example: "[slave, billing]")
        "The events that are sent."
        Key("events", \.events, .choices(ifEmpty: "selects no event; leave it out to select all"))
        "Time limit of one attempt."
        Key("timeout", \.timeout, .duration)
    }
}

// Key paths for the rows above: the parts of a notifier, by type.
extension NotifierConfiguration {
    /// The schema of its `type`.
    var schema: SectionSchema<NotifierConfiguration>? {
        let word =
            switch kind {
            case .webhook: "webhook"
            case .command: "command"
            case .mail: "mail"
            }
        return Schema.notifierTypes.first { $0.word == word }?.meaning
    }

    fileprivate var asWebhook: (url: Secret, format: WebhookFormat, tlsAuthorities: String?) {
        get {
            if case .webhook(let url, let format, let path) = kind {
                (url, format, path)
            } else {
                (Secret(""), .json, nil)
            }
        }
        set { kind = .webhook(url: newValue.url, format: newValue.format, tlsAuthorities: newValue.tlsAuthorities) }
    }

    fileprivate var asCommand: [String] {
        get { if case .command(let words) = kind { words } else { [] } }
        set { kind = .command(newValue) }
    }

    fileprivate var asMail: (to: [String], from: String, sendmail: String) {
        get { if case .mail(let to, let from, let sendmail) = kind { (to, from, sendmail) } else { ([], "", "") } }
        set { kind = .mail(to: newValue.to, from: newValue.from, sendmail: newValue.sendmail) }
    }
}
