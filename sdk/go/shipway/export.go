package shipway

// exported is the plugin of this component.
var exported Plugin

// Export makes the component of a plugin. Call it once, in init: a component
// has no main.
func Export(plugin Plugin) {
	exported = plugin
}
