/// What the scanner has to know of a family of programming languages.
enum SourceLanguage: Sendable, Hashable {
    /// Declarations with a keyword: Swift, Kotlin, Scala, Protocol Buffers.
    case keywords
    /// The same, or as `name(…) {`: Java, C#, JavaScript, TypeScript, Dart, PHP.
    case braces
    /// The same with `#include`: C, C++, Objective-C.
    case cLike
    case go
    case rust
    /// Blocks by indentation.
    case python
    /// Blocks that end in `end`: Ruby, Lua, Elixir, Julia.
    case endKeyword
    case shell
    case sql
    /// Sections in square brackets: TOML, INI.
    case sections
    /// No declarations that are looked for: YAML, JSON, XML, CSS and the like.
    case other

    static func isSource(extensionName: String) -> Bool { Self.byExtension[extensionName] != nil }

    /// Returns the family of a file with such a name.
    init(extensionName: String) { self = Self.byExtension[extensionName] ?? .other }

    private static let byExtension: [String: SourceLanguage] = {
        let families: [(SourceLanguage, String)] = [
            (.keywords, "swift kt kts scala fs vb proto graphql zig groovy gradle"),
            (.braces, "java cs js jsx mjs cjs ts tsx dart php vue"),
            (.cLike, "c cc cpp cxx h hh hpp m mm"), (.go, "go"), (.rust, "rs"), (.python, "py pyi"),
            (.endKeyword, "rb lua ex exs jl"), (.shell, "bash sh zsh"), (.sql, "sql"),
            (.sections, "toml ini cfg conf properties"),
            (
                .other,
                "clj cmake css scss dockerfile makefile hcl tf hs json ml nix pl pm ps1 r tcl xml yaml yml"
            ),
        ]
        return Dictionary(
            uniqueKeysWithValues: families.flatMap { family, names in
                names.split(separator: " ").map { (String($0), family) }
            }
        )
    }()
}
