# The identity of the orders service.
resource "azurerm_user_assigned_identity" "orders" {
  name                = "id-orders"
  location            = "northeurope"
  resource_group_name = "rg-orders"
}

variable "admin_password" {
  default = "canary-terraform-7c1e"
}

# Another team's identity, of the same name.
data "azurerm_user_assigned_identity" "billing" {
  name                = "id-orders"
  resource_group_name = "rg-billing"
}

resource "azurerm_key_vault_access_policy" "orders" {
  key_vault_id = var.key_vault_id
  tenant_id    = var.tenant_id
  object_id    = "b22d0003-0003-4003-8003-b22d00000003"
}
