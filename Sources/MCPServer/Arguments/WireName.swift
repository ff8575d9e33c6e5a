/// The one rule between Swift names and wire names.
enum WireName {
    /// `projectKey` as `project_key`, `jiraURL` as `jira_url`.
    ///
    /// A leading underscore, as property wrappers have, goes.
    static func snakeCase(_ name: String) -> String {
        let characters = Array(name.hasPrefix("_") ? name.dropFirst() : name[...])
        var result = ""
        for (index, character) in characters.enumerated() {
            if character.isUppercase, index > 0 {
                let followsLower = characters[index - 1].isUppercase == false
                let startsWord = index + 1 < characters.count && characters[index + 1].isLowercase
                if followsLower || startsWord { result += "_" }
            }
            result += character.lowercased()
        }
        return result
    }
}
