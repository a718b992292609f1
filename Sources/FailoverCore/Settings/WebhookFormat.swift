/// The body of a webhook's POST.
public enum WebhookFormat: String, Hashable, Sendable, CaseIterable {
    /// The complete event.
    case json
    /// `{"text": "…"}`, the format of Slack and of services that have adopted it.
    case slack
}
