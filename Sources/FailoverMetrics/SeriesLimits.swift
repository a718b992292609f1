/// Bounds, so that a label whose values never end cannot take the memory.
package struct SeriesLimits: Hashable, Sendable {
    /// Series of one family; 10 000.
    package var series: Int
    /// Families; 1000.
    package var families: Int

    package init(series: Int = 10_000, families: Int = 1000) {
        self.series = series
        self.families = families
    }
}
