extension String {
    /// What a server said, as it may stand in a log line or an error of ours: what would break or forge a line becomes a
    /// space, and it has at most 200 characters.
    var asShortLine: String {
        var line = String.UnicodeScalarView()
        for scalar in unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate: line.append(" ")
            default: line.append(scalar)
            }
        }
        return String(String(line).prefix(200))
    }
}
