import Yams

extension Node {
    /// `key:` with nothing after it, `~` or `null`.
    var isNull: Bool {
        guard case .scalar(let scalar) = self, scalar.style == .plain else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(scalar.string)
    }

    /// What this is, for a message.
    var kindForMessage: String {
        switch self {
        case .scalar: isNull ? "nothing" : "a single value"
        case .mapping: "keys and values"
        case .sequence: "a list"
        case .alias: "an alias"
        }
    }

    /// Whether the tag is one that says no more than the shape does.
    var hasPlainTag: Bool {
        let name = Tag.Name(rawValue: tag.rawValue)
        return name == .implicit || name == .str || name == .map || name == .seq
    }
}
