import FailoverNotify

/// A table for people: columns as wide as their widest cell, two spaces between them.
struct TextTable {
    /// A heading, and on which side its column is ragged.
    struct Column {
        let heading: String
        var isNumeric = false
    }

    let columns: [Column]
    private var rows: [[String]] = []

    init(_ columns: [Column]) { self.columns = columns }

    /// Adds a row of one cell a column. What servers and commands say in them cannot talk to the terminal.
    mutating func add(_ cells: [String]) { rows.append(cells.map(LogText.oneLine)) }

    /// The headings, then the rows; nothing after the last cell of a line.
    ///
    /// - Parameters:
    ///   - column: the one whose cells are coloured.
    ///   - colours: of each row's cell, as SGR sequences of ECMA-48 number them; none unless given.
    func lines(colouring column: Int = 0, _ colours: [Int]? = nil) -> [String] {
        let headings = columns.map(\.heading)
        let widths = columns.indices.map { column in ([headings] + rows).map { $0[column].count }.max() ?? 0 }
        func line(_ cells: [String], _ decorated: [String]) -> String {
            let padded = columns.indices.map { column in
                let padding = String(repeating: " ", count: widths[column] - cells[column].count)
                return columns[column].isNumeric ? padding + decorated[column] : decorated[column] + padding
            }
            let line = padded.joined(separator: "  ")
            return String(line.reversed().drop { $0 == " " }.reversed())
        }
        return [line(headings, headings)]
            + rows.enumerated().map { row, cells in
                var decorated = cells
                if let colours { decorated[column] = "\u{1b}[\(colours[row])m\(cells[column])\u{1b}[0m" }
                return line(cells, decorated)
            }
    }
}
