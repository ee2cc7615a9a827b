"""The component: what stands between the contract and the author's plugin.

* `exports`: what componentize-py makes the component of;
* `author`: finds the plugin, and holds its roles against the world's;
* `calls`: the host's functions, as imports;
* `lift`, `lower`: from the generated records to the SDK's, and back;
* `guard`: makes a failure of every exception;
* `late`: what must be imported before it is wanted.

All but this needs the modules that componentize-py generates.
"""
