/// How it goes with an application, for whoever started it.
public enum Lifecycle: Sendable {
    /// Clients are accepted.
    case serving
    /// Another configuration has taken the former one's place.
    case reloaded(Configuration)
    /// A graceful shutdown begins, or another process has this one's place: sessions are waited for.
    case stopping
}
