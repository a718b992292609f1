/// The body of a webhook's POST.
public enum WebhookFormat: String, Hashable, Sendable, CaseIterable {
    /// The event, all of it.
    case json
    /// `{"text": "…"}`, as Slack and those who took over its format want it.
    case slack
}
