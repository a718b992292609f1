extension String {
    /// The text in lines of no more than `width` characters, unless a word is longer; breaks stand where spaces were.
    ///
    /// - Parameters:
    ///   - used: how much of the first line is taken.
    ///   - indent: before each line but the first.
    func wrapped(to width: Int = 110, after used: Int, indent: String) -> String {
        var lines = [""]
        var taken = used
        for word in split(separator: " ") {
            let isFirst = lines[lines.count - 1].isEmpty
            if !isFirst, taken + 1 + word.count > width {
                lines.append("")
                taken = indent.count
            }
            let space = lines[lines.count - 1].isEmpty ? "" : " "
            lines[lines.count - 1] += space + word
            taken += space.count + word.count
        }
        return lines.joined(separator: "\n" + indent)
    }
}
