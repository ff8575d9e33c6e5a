/// What this program calls itself.
public enum GantryVersion {
    public static let current = "0.1.0"
}
