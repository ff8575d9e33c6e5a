/// Which members and elements of one value have been evaluated by subschemas that it follows: the annotations that
/// `unevaluatedProperties` and `unevaluatedItems` depend on (Core, section 11).
struct EvaluatedParts {
    /// Whether anything depends on this.
    ///
    /// If not, nothing is collected.
    let isActive: Bool
    private(set) var hasAllMembers = false
    private(set) var hasAllElements = false
    private var members: Set<Int> = []
    /// All elements before this one have been evaluated.
    private var elementCount = 0
    private var elements: Set<Int> = []

    init(isActive: Bool) { self.isActive = isActive }

    mutating func addMember(_ position: Int) {
        if self.isActive, !self.hasAllMembers { self.members.insert(position) }
    }

    mutating func addAllMembers() { self.hasAllMembers = true }

    mutating func addElement(_ index: Int) {
        if self.isActive, !self.hasAllElements { self.elements.insert(index) }
    }

    mutating func addElements(before end: Int) { self.elementCount = max(self.elementCount, end) }

    mutating func addAllElements() { self.hasAllElements = true }

    func hasMember(_ position: Int) -> Bool { self.hasAllMembers || self.members.contains(position) }

    func hasElement(_ index: Int) -> Bool {
        self.hasAllElements || index < self.elementCount || self.elements.contains(index)
    }

    /// Adds what another subschema has evaluated in the same value.
    mutating func formUnion(_ other: EvaluatedParts) {
        guard self.isActive, other.isActive else { return }
        self.hasAllMembers = self.hasAllMembers || other.hasAllMembers
        self.hasAllElements = self.hasAllElements || other.hasAllElements
        self.elementCount = max(self.elementCount, other.elementCount)
        self.members.formUnion(other.members)
        self.elements.formUnion(other.elements)
    }
}
