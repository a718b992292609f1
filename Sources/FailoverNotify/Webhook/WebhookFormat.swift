import FailoverCore
import FoundationEssentials

/// The body of a webhook's POST.
public enum WebhookFormat: String, Hashable, Sendable, CaseIterable {
    /// The event, all of it.
    case json
    /// `{"text": "…"}`, as Slack and those who took over its format want it.
    case slack

    func body(_ event: FailoverEvent) -> String {
        switch self {
        case .json: return EventJSON(event).text
        case .slack:
            var text = EventWords(event).headline
            if let failure = event.failure { text += "\n" + LogText.oneLine(failure.detail) }
            // The three characters that Slack wants escaped; api.slack.com/reference/surfaces/formatting.
            for (character, entity) in [("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")] {
                text = text.replacing(character, with: entity)
            }
            // Text can always be encoded.
            let data = try? JSONEncoder().encode(["text": text])
            return data.map { String(decoding: $0, as: UTF8.self) } ?? "{}"
        }
    }
}
