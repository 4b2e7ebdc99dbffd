//! What the writer added: the new text without quotation and signature, never empty where a person wrote something.
